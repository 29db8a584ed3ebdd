import { useEffect, useRef } from 'react';
import * as api from '../../api.ts';
import { now } from '../../clock.ts';
import { number } from '../../model/numbers.ts';
import { filterOf, joinQuery, splitQuery } from '../../model/query.ts';
import { absolute, ago, moment, type Range, type Zone } from '../../model/time.ts';
import { CopyButton } from '../../parts/copyButton.tsx';
import { EmptyState, Skeleton } from '../../parts/states.tsx';
import { useResource } from '../../resource.ts';

/** Tells apart: no records at all, none in this window, none for this filter. Each with its one next step. */
export function EmptyResults({ window, zone, onQuery, onRange }: {
  window: api.Window;
  zone: Zone;
  onQuery: (query: string) => void;
  onRange: (range: Range) => void;
}) {
  const filter = filterOf(window.query);
  const found = useResource(`empty ${window.query} ${window.start} ${window.end}`, async (signal) => {
    const { clauses, text } = splitQuery(filter);
    const count = async (query: string): Promise<number> => {
      const answer = await api.hits({ ...window, query }, '1d', signal);
      return answer.hits.reduce((sum, each) => sum + each.total, 0);
    };
    const [matching, any, here] = await Promise.all([
      api.newest(filter, signal),
      api.newest('*', signal),
      filter && filter !== '*' ? count('*') : Promise.resolve(0),
    ]);
    const parts = clauses.map((clause) => ({
      label: clause.text,
      query: joinQuery(clauses.filter((each) => each !== clause), text),
    }));
    if (text && clauses.length > 0) parts.push({ label: text, query: joinQuery(clauses, '') });
    const drops = here > 0 && parts.length > 1
      ? await Promise.all(parts.slice(0, 5).map(async (part) => ({ ...part, count: await count(part.query) })))
      : [];
    return { matching, any, here, drops: drops.filter((each) => each.count > 0) };
  });
  if (!found.data) {
    return found.error
      ? (
        <EmptyState title='Nothing up here'>
          <p>No records match in this window.</p>
        </EmptyState>
      )
      : <Skeleton rows={3} label='Looking for the nearest records' />;
  }
  const { matching, any, here, drops } = found.data;
  if (!any) return <NoRecords onArrival={() => onQuery(window.query)} />;
  const time = matching ? Date.parse(matching['_time'] ?? '') : NaN;
  const elsewhere = Number.isNaN(time) || (time >= window.start && time < window.end) ? null : time;
  if (here === 0) {
    const newest = elsewhere ?? Date.parse(any['_time'] ?? '');
    return (
      <EmptyState
        title='No records in this window'
        action={
          <button type='button' className='btn primary' onClick={() => onRange(around(newest, window))}>
            Show records around {moment(newest, zone, now())}
          </button>
        }
      >
        <p>The newest {filter && filter !== '*' && elsewhere ? 'matching ' : ''}record is from {ago(newest, now())}.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon='search-x'
      title='No record matches this filter'
      action={
        <>
          {drops.map((drop) => (
            <button
              key={drop.label}
              type='button'
              className='btn'
              onClick={() => onQuery(drop.query)}
            >
              Drop <code>{drop.label}</code> <small>{number(drop.count)} records</small>
            </button>
          ))}
          {elsewhere !== null && (
            <button
              type='button'
              className='btn'
              onClick={() => onRange(around(elsewhere, window))}
            >
              Show the newest match, {ago(elsewhere, now())}
            </button>
          )}
          <button type='button' className='btn ghost' onClick={() => onQuery('')}>Clear the query</button>
        </>
      }
    >
      <p>This window holds {number(here)} records, but none of them fits the whole query.</p>
    </EmptyState>
  );
}

/** A window of the same length that ends a little after `time`. */
function around(time: number, window: api.Window): Range {
  const length = window.end - window.start;
  return absolute(time - length * 0.9, time + length * 0.1);
}

/** Listens until a first record is there. */
function NoRecords({ onArrival }: { onArrival: () => void }) {
  const arrived = useRef(onArrival);
  arrived.current = onArrival;
  useEffect(() => {
    const abort = new AbortController();
    const timer = setInterval(async () => {
      try {
        if (await api.newest('*', abort.signal)) arrived.current();
      } catch {
        // The next attempt is due in two seconds; an absent server is said elsewhere.
      }
    }, 2000);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, []);
  const command = `curl -X POST ${location.origin}/api/v1/logs/stream \\
  -H 'Content-Type: application/x-ndjson' \\${api.hasKey() ? '\n  -H "Authorization: Bearer $TIMBERLINE_KEY" \\' : ''}
  --data '{"message":"hello from the trailhead","level":"info","service":"demo"}'`;
  return (
    <EmptyState icon='inbox' title='No records yet' action={<CopyButton text={command} what='Command' />}>
      <p>
        Send a first one; it appears here the moment it arrives. Or load a file with <code>timberline import</code>.
      </p>
      <pre className='raw' tabIndex={0} aria-label='Command that sends a record'>{command}</pre>
      <p className='listening'>
        <i className='pulse' /> Listening…
      </p>
    </EmptyState>
  );
}
