import { useEffect, useRef, useState } from 'react';
import * as api from '../api.ts';
import { now } from '../clock.ts';
import { useKeys } from '../keys.ts';
import { patternQuery, rate } from '../model/incidents.ts';
import { number, plural, share } from '../model/numbers.ts';
import { filterOf } from '../model/query.ts';
import { slots } from '../model/segments.ts';
import { DAY, describe, type Range, shifted, widened } from '../model/time.ts';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Message } from '../parts/message.tsx';
import { QueryBar, type QueryBarHandle } from '../parts/queryBar.tsx';
import { Segmented } from '../parts/segmented.tsx';
import { EmptyState, ErrorState, Skeleton, useLasting } from '../parts/states.tsx';
import { TimeRange } from '../parts/timeRange.tsx';
import { keepInHistory, prefer, usePreferences } from '../preferences.ts';
import { useResource } from '../resource.ts';
import { addressOf, patch, useAddress } from '../router.ts';
import { rangeOf, titled, useArrival, useSuggestions, useWindow, windowKey } from './shared.ts';

type Against = 'before' | 'day' | 'week';
const againsts: { value: Against; label: string; words: string }[] = [
  { value: 'before', label: 'Just before', words: 'as long just before' },
  { value: 'day', label: 'A day ago', words: 'the same time a day ago' },
  { value: 'week', label: 'A week ago', words: 'the same time a week ago' },
];
const shown = 200;

const changes: Record<api.ComparisonRow['change'], { word: string; kind: string }> = {
  new: { word: 'new', kind: 'new' },
  gone: { word: 'gone', kind: 'down' },
  up: { word: 'more', kind: 'up' },
  down: { word: 'less', kind: 'down' },
};

/** Two windows side by side: which patterns are new, gone, more or less, and how sure that is. */
export default function ComparePage() {
  const { parameters } = useAddress();
  const { zone, history } = usePreferences();
  const query = parameters.get('q') ?? '';
  const range = rangeOf(parameters);
  const against = againsts.find((each) => each.value === parameters.get('with')) ?? againsts[0]!;
  const [runs, setRuns] = useState(0);
  const [timeOpen, setTimeOpen] = useState(false);
  const bar = useRef<QueryBarHandle>(null);
  const window = useWindow(filterOf(query), range, runs);
  const back = against.value === 'before' ? window.end - window.start : against.value === 'day' ? DAY : 7 * DAY;
  const before = { start: window.start - back, end: window.end - back };
  const found = useResource(
    `compare ${against.value} ${windowKey(window)}`,
    (signal) => api.compare(window.query, before, window, shown, signal),
  );
  const suggest = useSuggestions(window);
  const dimmed = useLasting(found.loading && !found.current, 300);
  const refused = found.error?.status === 400 ? found.error : null;
  useArrival();
  useEffect(() => titled(query || null, 'Compare'), [query]);
  const setQuery = (value: string): void => {
    keepInHistory(value);
    patch({ q: value });
    setRuns((each) => each + 1);
  };
  const setRange = (value: Range): void => {
    patch({ from: value.from, to: value.to === 'now' ? null : value.to });
    setRuns((each) => each + 1);
  };
  useKeys({
    '/': () => bar.current?.focus(),
    t: () => setTimeOpen(true),
    z: () => setRange(widened(window.start, window.end, now())),
    'Shift+ArrowLeft': () => setRange(shifted(window.start, window.end, -1)),
    'Shift+ArrowRight': () => setRange(shifted(window.start, window.end, 1)),
  });
  const times = (span: { start: number; end: number }): string =>
    describe({ from: '', to: '' }, span.start, span.end, zone, now());
  return (
    <div className='page'>
      <header className='bar'>
        <h1 tabIndex={-1}>Compare</h1>
        <span className='sp' />
        <Link
          className='btn ghost'
          href={addressOf('/search', { q: query, from: parameters.get('from'), to: parameters.get('to') })}
        >
          <Icon name='text-search' size={14} /> <span className='hide-s'>Search these records</span>
        </Link>
      </header>
      <div className='query' role='search'>
        <QueryBar
          ref={bar}
          query={query}
          mode='filter'
          modes={false}
          problem={refused}
          history={history}
          suggest={suggest}
          onQuery={setQuery}
        />
        <TimeRange
          range={range}
          start={window.start}
          end={window.end}
          zone={zone}
          now={now()}
          open={timeOpen}
          onOpen={setTimeOpen}
          onChange={setRange}
          onZone={(value) => prefer({ zone: value })}
        />
      </div>
      <section className='panel' aria-label='What is unlike' aria-busy={found.loading}>
        <div className='panel-h'>
          <p className='said' role='status'>
            {times(window)} against {times(before)}
            {found.data && (
              <>
                {': '}
                {plural(found.data.records_after, 'record')} after, {number(found.data.records_before)} before
              </>
            )}
          </p>
          <span className='sp' />
          <Segmented
            label='Compare with'
            options={againsts.map(({ value, label, words }) => ({ value, label, title: words }))}
            chosen={against.value}
            onChoose={(value) => patch({ with: value === 'before' ? null : value }, 'replace')}
          />
        </div>
        {found.error && !refused && !found.data
          ? <ErrorState problem={found.error} onRetry={found.reload} />
          : refused && !found.data
          ? (
            <EmptyState icon='search-x' title='The query cannot be read'>
              <p>{refused.detail || refused.title}</p>
            </EmptyState>
          )
          : !found.data
          ? <Skeleton rows={12} label='Comparing' />
          : found.data.rows.length === 0
          ? (
            <EmptyState
              icon='layers'
              title={found.data.records_after === 0 ? 'Nothing to compare' : 'The two are alike'}
            >
              <p>
                {found.data.records_after === 0 && found.data.records_before === 0
                  ? 'Neither window holds a record that matches.'
                  : 'No pattern is more or less frequent than chance allows.'}
              </p>
            </EmptyState>
          )
          : (
            <div className={dimmed ? 'rows dim' : 'rows'}>
              <table className='table analyses compared'>
                <thead>
                  <tr>
                    <th scope='col'>Change</th>
                    <th scope='col'>Pattern and workload</th>
                    <th scope='col' className='num hide-s'>Before/min</th>
                    <th scope='col' className='num hide-s'>After/min</th>
                    <th
                      scope='col'
                      className='num'
                      title='After to before, with the interval that holds it in 95 of 100'
                    >
                      Ratio
                    </th>
                    <th scope='col' className='num hide-m' title='Of all that is unlike'>Share</th>
                  </tr>
                </thead>
                <tbody>
                  {found.data.rows.map((row) => (
                    <tr key={`${row.pattern} ${row.workload}`}>
                      <td>
                        <span className={`change ${changes[row.change].kind}`}>{changes[row.change].word}</span>
                      </td>
                      <td className='an-t'>
                        <Link
                          href={addressOf('/search', {
                            q: patternQuery(row.pattern),
                            from: new Date(row.change === 'gone' ? before.start : window.start).toISOString(),
                            to: new Date(row.change === 'gone' ? before.end : window.end).toISOString(),
                          })}
                          title={row.text}
                        >
                          <code>
                            <Message segments={slots(row.text)} />
                          </code>
                        </Link>
                        <small>{row.workload}</small>
                      </td>
                      <td className='num hide-s' title={plural(row.before, 'record')}>{rate(row.rate_before)}</td>
                      <td className='num hide-s' title={plural(row.after, 'record')}>{rate(row.rate_after)}</td>
                      <td className='num'>
                        {row.ratio === undefined ? '–' : (
                          <>
                            ×{factor(row.ratio)}
                            <small>
                              {factor(row.ratio_low ?? row.ratio)}–{factor(row.ratio_high ?? row.ratio)}
                            </small>
                          </>
                        )}
                      </td>
                      <td className='num hide-m'>{share(row.share)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {found.data.rows.length < found.data.total && (
                <p className='foot-note'>
                  Showing the {number(found.data.rows.length)} most telling of {number(found.data.total)}.
                </p>
              )}
            </div>
          )}
      </section>
    </div>
  );
}

/** How many times: 14, 1.3, 0.05. */
const factor = (value: number): string => value >= 10 ? number(Math.round(value)) : value.toPrecision(2);
