import { useCallback, useEffect, useRef, useState } from 'react';
import * as api from '../../api.ts';
import { type LogRecord, recordOf } from '../../model/records.ts';
import { problemOf, useConnection } from '../../resource.ts';

export const pageSize = 500;
/** A list longer than this has stopped being read: the page then advises a narrower window. */
export const loadedMax = 50_000;

export interface RecordList {
  records: LogRecord[];
  /** Whether `records` belong to the window asked for, not to the one before. */
  current: boolean;
  loading: boolean;
  /** Nothing more to load. */
  complete: boolean;
  stopped: boolean;
  problem: api.Problem | null;
  more: () => void;
  stop: () => void;
  reload: () => void;
}

interface State {
  key: string;
  records: LogRecord[];
  loading: boolean;
  complete: boolean;
  stopped: boolean;
  problem: api.Problem | null;
}

const empty: State = { key: '', records: [], loading: false, complete: true, stopped: false, problem: null };

/** The records of a window, newest first: streamed in as they are found, the next page loaded on request. */
export function useRecords(window: api.Window | null): RecordList {
  const [state, setState] = useState<State>(empty);
  const [attempt, setAttempt] = useState(0);
  const { generation } = useConnection();
  const abort = useRef<AbortController | null>(null);
  const latest = useRef(state);
  latest.current = state;
  const key = window ? `${window.query}\n${window.start}\n${window.end}` : '';

  const load = useCallback(async (target: api.Window, name: string, offset: number, known: LogRecord[]) => {
    abort.current?.abort();
    const controller = abort.current = new AbortController();
    const seen = new Set(known.map((each) => each.id));
    let records = known;
    let arrived = 0;
    let shownAt = 0;
    const show = (change: Partial<State>): void => {
      if (!controller.signal.aborted) setState((old) => ({ ...old, key: name, records, ...change }));
    };
    setState((old) => ({ ...old, loading: true, stopped: false }));
    try {
      for await (const batch of api.records(target, pageSize, offset, controller.signal)) {
        arrived += batch.length;
        const fresh = batch.map((fields, index) => recordOf(fields, offset + arrived - batch.length + index))
          .filter((each) => !seen.has(each.id));
        fresh.forEach((each) => seen.add(each.id));
        records = [...records, ...fresh];
        // The first batch at once, then a picture every 60 ms: results stream in without drowning the page.
        if (performance.now() - shownAt > 60) {
          shownAt = performance.now();
          show({ problem: null });
        }
      }
      show({ loading: false, problem: null, complete: arrived < pageSize || records.length >= loadedMax });
    } catch (error) {
      if (api.isAbort(error) || controller.signal.aborted) return;
      setState((old) => ({ ...old, loading: false, problem: problemOf(error) }));
    }
  }, []);

  useEffect(() => {
    if (!window) {
      abort.current?.abort();
      setState(empty);
      return;
    }
    load(window, key, 0, []);
    return () => abort.current?.abort();
    // The key stands for the window.
  }, [key, attempt, generation]);

  return {
    records: state.records,
    current: state.key === key,
    loading: state.loading,
    complete: state.complete,
    stopped: state.stopped,
    problem: state.problem,
    more: () => {
      const { key: shown, loading, complete, stopped, records, problem } = latest.current;
      if (!window || shown !== key || loading || complete || stopped || problem) return;
      load(window, key, records.length, records);
    },
    stop: () => {
      abort.current?.abort();
      setState((old) => ({ ...old, loading: false, stopped: true, complete: true }));
    },
    reload: () => setAttempt((each) => each + 1),
  };
}
