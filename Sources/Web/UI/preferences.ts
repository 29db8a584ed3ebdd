import { useSyncExternalStore } from 'react';
import type { Zone } from './model/time.ts';

// What belongs to this person's browser and to no shared link.

export interface Preferences {
  theme: 'light' | 'dark' | 'system';
  density: 'compact' | 'normal' | 'relaxed';
  zone: Zone;
  facets: boolean;
  /** Fields whose facet is folded or opened by hand. */
  folded: Record<string, boolean>;
  history: string[];
  dismissed: string[];
}

const initial: Preferences = {
  theme: 'system',
  density: 'normal',
  zone: 'local',
  facets: true,
  folded: {},
  history: [],
  dismissed: [],
};

let current: Preferences = { ...initial };
const watchers = new Set<() => void>();

try {
  const stored = JSON.parse(localStorage.getItem('tl.preferences') ?? '{}') as Partial<Preferences>;
  current = { ...initial, ...stored };
  const theme = localStorage.getItem('tl.theme');
  current.theme = theme === 'light' || theme === 'dark' ? theme : 'system';
} catch {
  // Blocked or spoiled storage: the defaults serve.
}

export function prefer(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  const root = document.documentElement;
  if (change.theme) {
    if (change.theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = change.theme;
  }
  if (change.density) {
    if (change.density === 'normal') delete root.dataset['density'];
    else root.dataset['density'] = change.density;
  }
  try {
    localStorage.setItem('tl.preferences', JSON.stringify(current));
    // Read by boot.ts before first paint.
    if (change.theme === 'system') localStorage.removeItem('tl.theme');
    else if (change.theme) localStorage.setItem('tl.theme', change.theme);
    if (change.density) localStorage.setItem('tl.density', change.density);
  } catch {
    // The choice then lasts as long as the page.
  }
  watchers.forEach((each) => each());
}

export const preferences = (): Preferences => current;

export const usePreferences = (): Preferences =>
  useSyncExternalStore((watcher) => {
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
    };
  }, () => current);

/** The newest twenty queries, the newest first. */
export function keepInHistory(query: string): void {
  const text = query.trim();
  if (!text || current.history[0] === text) return;
  prefer({ history: [text, ...current.history.filter((each) => each !== text)].slice(0, 20) });
}

export const effectiveTheme = (theme: Preferences['theme']): 'light' | 'dark' => {
  const pinned = document.documentElement.dataset['theme'];
  if (pinned === 'light' || pinned === 'dark') return pinned;
  return theme !== 'system' ? theme : matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
};
