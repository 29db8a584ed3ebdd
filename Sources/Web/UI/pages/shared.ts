import { useEffect, useMemo } from 'react';
import * as api from '../api.ts';
import { now } from '../clock.ts';
import { filterOf } from '../model/query.ts';
import { type Range, resolve } from '../model/time.ts';
import type { Suggestions } from '../parts/queryBar.tsx';

export const firstRange: Range = { from: 'now-1h', to: 'now' };

export function rangeOf(parameters: URLSearchParams, first = firstRange): Range {
  return { from: parameters.get('from') || first.from, to: parameters.get('to') || first.to };
}

/** What the address's query and times mean now. `run` counts how often Enter asked for it anew. */
export function useWindow(query: string, range: Range, run: number): api.Window {
  return useMemo(() => {
    const at = now();
    const end = resolve(range.to, at) ?? at;
    const start = resolve(range.from, at) ?? end - 3_600_000;
    return { query, start: Math.min(start, end - 1), end };
  }, [query, range.from, range.to, run]);
}

/** Field names and values for completion, asked once a window. */
export function useSuggestions(window: api.Window): Suggestions {
  return useMemo(() => {
    const names = new Map<string, Promise<api.ValueCount[]>>();
    const values = new Map<string, Promise<api.ValueCount[]>>();
    const once = (
      map: Map<string, Promise<api.ValueCount[]>>,
      key: string,
      load: () => Promise<api.ValueCount[]>,
    ): Promise<api.ValueCount[]> => {
      const known = map.get(key);
      if (known) return known;
      const fresh = load();
      map.set(key, fresh);
      fresh.catch(() => map.delete(key));
      return fresh;
    };
    return {
      names: (query) => once(names, query, () => api.fieldNames({ ...window, query: filterOf(query) })),
      values: (query, field) =>
        once(values, `${field}\n${query}`, () => api.fieldValues({ ...window, query: filterOf(query) }, field, 200)),
    };
  }, [window.start, window.end]);
}

let isFirstPage = true;

/** A page change moves focus to the heading; the first page leaves it to the browser. */
export function useArrival(): void {
  useEffect(() => {
    const heading = document.querySelector<HTMLElement>('main h1') ?? document.querySelector<HTMLElement>('main');
    if (!isFirstPage) heading?.focus();
    isFirstPage = false;
  }, []);
}

/** The tab's title: what is looked for first. */
export function titled(...parts: (string | null | undefined)[]): void {
  const title = [...parts.filter(Boolean), 'Timberline'].join(' · ');
  if (document.title !== title) document.title = title;
}

export const windowKey = (window: api.Window): string => `${window.query} ${window.start} ${window.end}`;
