import { useEffect, useRef, useState } from 'react';
import * as api from '../../api.ts';
import { type LogRecord, recordOf } from '../../model/records.ts';
import { problemOf } from '../../resource.ts';

/** The buffer's bound: then the oldest fall off, and the bar says how many. */
export const bufferMax = 20_000;

export interface Tail {
  /** Newest first. */
  records: LogRecord[];
  /** Arrived while paused. */
  waiting: number;
  /** Fallen off the buffer, or dropped by the server because this page was too slow. */
  dropped: number;
  /** Records a second, over the last five. */
  rate: number;
  connected: boolean;
  problem: api.Problem | null;
  /** How many of `records` came with the last batch, and its number. */
  fresh: { count: number; batch: number };
}

const nothing: Tail = {
  records: [],
  waiting: 0,
  dropped: 0,
  rate: 0,
  connected: false,
  problem: null,
  fresh: { count: 0, batch: 0 },
};

/** Matching records as they are committed, shown four times a second; while `paused` they wait. */
export function useTail(query: string | null, paused: boolean): Tail {
  const [tail, setTail] = useState<Tail>(nothing);
  const pausedNow = useRef(paused);
  pausedNow.current = paused;

  useEffect(() => {
    if (query === null) {
      setTail(nothing);
      return;
    }
    const abort = new AbortController();
    let shown: LogRecord[] = [];
    let waiting: LogRecord[] = [];
    let dropped = 0;
    let connected = false;
    let problem: api.Problem | null = null;
    let batch = 0;
    const arrivals: { at: number; count: number }[] = [];
    let changed = true;

    const picture = setInterval(() => {
      const at = performance.now();
      while (arrivals.length > 0 && arrivals[0]!.at < at - 5000) arrivals.shift();
      const rate = arrivals.reduce((sum, each) => sum + each.count, 0) / 5;
      let count = 0;
      if (!pausedNow.current && waiting.length > 0) {
        // `waiting` is oldest first, as it came.
        count = waiting.length;
        shown = [...waiting.reverse(), ...shown];
        waiting = [];
        batch++;
        if (shown.length > bufferMax) {
          dropped += shown.length - bufferMax;
          shown = shown.slice(0, bufferMax);
        }
        changed = true;
      }
      if (!changed && rate === 0 && count === 0) return;
      changed = arrivals.length > 0;
      const records = shown;
      const fresh = { count, batch };
      setTail((old) => ({
        records,
        waiting: waiting.length,
        dropped,
        rate,
        connected,
        problem,
        fresh: count > 0 ? fresh : old.fresh,
      }));
    }, 250);

    const follow = async (): Promise<void> => {
      while (!abort.signal.aborted) {
        try {
          for await (const event of api.tail(query, abort.signal)) {
            changed = true;
            if (event.kind === 'open') {
              connected = true;
              problem = null;
            } else if (event.kind === 'dropped') dropped += event.count;
            else {
              arrivals.push({ at: performance.now(), count: event.records.length });
              for (const fields of event.records) waiting.push(recordOf(fields, batch));
              if (waiting.length > bufferMax) dropped += waiting.splice(0, waiting.length - bufferMax).length;
            }
          }
        } catch (error) {
          if (api.isAbort(error)) return;
          problem = problemOf(error);
          // A query that is refused will be refused again.
          if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
            connected = false;
            changed = true;
            return;
          }
        }
        connected = false;
        changed = true;
        await new Promise((resume) => setTimeout(resume, (problem?.retryAfter ?? 2) * 1000));
      }
    };
    follow();
    return () => {
      abort.abort();
      clearInterval(picture);
    };
  }, [query]);
  return tail;
}
