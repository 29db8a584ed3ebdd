import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { connectionNow, isAbort, Problem, watchConnection } from './api.ts';

export interface Resource<T> {
  /** The newest that arrived; while a new key loads, the old one's. */
  data: T | undefined;
  /** Whether `data` is what the key asks for. */
  current: boolean;
  error: Problem | null;
  loading: boolean;
  reload: () => void;
}

const cache = new Map<string, unknown>();
const cacheMax = 60;

function remember(key: string, value: unknown): void {
  cache.delete(key);
  cache.set(key, value);
  if (cache.size > cacheMax) cache.delete(cache.keys().next().value!);
}

export const useConnection = () => useSyncExternalStore(watchConnection, connectionNow);

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(-1, { title: 'This page could not read the answer', detail: String(error) });
}

/**
 * What `load` answers for `key`: cached, canceled when the page leaves or the key changes, the old shown while the
 * new loads. A busy or failing server is asked once more, after `Retry-After` or a second. A null key loads nothing.
 */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [state, setState] = useState<{ key: string | null; data?: T; error: Problem | null; loading: boolean }>(() => {
    const known = key === null ? undefined : cache.get(key) as T | undefined;
    return known === undefined
      ? { key: null, error: null, loading: key !== null }
      : { key, data: known, error: null, loading: false };
  });
  const [attempt, setAttempt] = useState(0);
  const { generation } = useConnection();
  const loader = useRef(load);
  loader.current = load;

  useEffect(() => {
    if (key === null) return;
    const known = attempt === 0 ? cache.get(key) as T | undefined : undefined;
    if (known !== undefined) {
      setState({ key, data: known, error: null, loading: false });
      return;
    }
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setState((old) => ({ ...old, loading: true }));
    const run = async (again: boolean): Promise<void> => {
      try {
        const data = await loader.current(abort.signal);
        if (abort.signal.aborted) return;
        remember(key, data);
        setState({ key, data, error: null, loading: false });
      } catch (error) {
        if (isAbort(error) || abort.signal.aborted) return;
        const problem = problemOf(error);
        if (again && (problem.status === 429 || problem.status >= 502)) {
          timer = setTimeout(() => run(false), Math.min(problem.retryAfter ?? 1, 30) * 1000);
        } else setState((old) => ({ ...old, error: problem, loading: false }));
      }
    };
    run(true);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, attempt, generation]);

  const reload = useCallback(() => {
    if (key !== null) cache.delete(key);
    setAttempt((each) => each + 1);
  }, [key]);
  return { data: state.data, current: state.key === key, error: state.error, loading: state.loading, reload };
}

export function forget(prefix: string): void {
  for (const key of [...cache.keys()]) if (key.startsWith(prefix)) cache.delete(key);
}
