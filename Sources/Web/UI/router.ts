import { useSyncExternalStore } from 'react';

/** The site map. A page is here only when it exists. */
export const sections = [
  { path: '/search', label: 'Search', icon: 'text-search', key: 's' },
  { path: '/patterns', label: 'Patterns', icon: 'fingerprint-pattern', key: 'p' },
  { path: '/incidents', label: 'Incidents', icon: 'siren', key: 'i' },
  { path: '/analyses', label: 'Analyses', icon: 'sparkles', key: 'a' },
] as const;

/** The address is the state: what a person would share lives in it. */
export interface Address {
  path: string;
  parameters: URLSearchParams;
}

const listeners = new Set<() => void>();
const changed = (): void => listeners.forEach((each) => each());
addEventListener('popstate', changed);

const subscribe = (listener: () => void): () => void => {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
};

export function useAddress(): Address {
  const address = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  const [path = '/', search = ''] = address.split('?', 2);
  return { path, parameters: new URLSearchParams(search) };
}

export type Step = 'push' | 'replace';

export function go(to: string, step: Step = 'push'): void {
  if (to === location.pathname + location.search) return;
  history[step === 'push' ? 'pushState' : 'replaceState'](null, '', to);
  changed();
}

export function addressOf(path: string, parameters: Record<string, string | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) search.set(name, value);
  return withSearch(path, search);
}

/** Changes some parameters of this page; null and empty remove. Choosing pushes, moving through a list replaces. */
export function patch(parameters: Record<string, string | null>, step: Step = 'push'): void {
  const search = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null || value === '') search.delete(name);
    else search.set(name, value);
  }
  go(withSearch(location.pathname, search), step);
}

function withSearch(path: string, search: URLSearchParams): string {
  // Colons and commas are legal in a query string and make LogsQL readable there.
  const text = search.toString().replaceAll('%3A', ':').replaceAll('%2C', ',');
  return text ? `${path}?${text}` : path;
}
