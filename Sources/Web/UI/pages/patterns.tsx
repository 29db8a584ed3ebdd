import { useEffect, useRef, useState } from 'react';
import * as api from '../api.ts';
import { now } from '../clock.ts';
import { useKeys } from '../keys.ts';
import { number, plural, share } from '../model/numbers.ts';
import { changed, filterOf } from '../model/query.ts';
import { type Range, shifted, widened } from '../model/time.ts';
import { Icon } from '../parts/icon.tsx';
import { PatternTable } from '../parts/patternTable.tsx';
import { QueryBar, type QueryBarHandle } from '../parts/queryBar.tsx';
import { Segmented } from '../parts/segmented.tsx';
import { EmptyState, ErrorState, Skeleton, useLasting } from '../parts/states.tsx';
import { TimeRange } from '../parts/timeRange.tsx';
import { keepInHistory, prefer, usePreferences } from '../preferences.ts';
import { useResource } from '../resource.ts';
import { addressOf, go, patch, useAddress } from '../router.ts';
import { rangeOf, titled, useArrival, useSuggestions, useWindow, windowKey } from './shared.ts';

const sorts: { value: api.PatternSort; label: string }[] = [
  { value: 'count', label: 'Loudest' },
  { value: 'new', label: 'New' },
  { value: 'rising', label: 'Rising' },
  { value: 'rare', label: 'Rarest' },
];

/** The kinds of lines in a window, and what changed about them. */
export default function PatternsPage() {
  const { parameters } = useAddress();
  const { zone, history } = usePreferences();
  const query = parameters.get('q') ?? '';
  const range = rangeOf(parameters);
  const sort = sorts.find((each) => each.value === parameters.get('sort'))?.value ?? 'count';
  const [runs, setRuns] = useState(0);
  const window = useWindow(filterOf(query), range, runs);
  const bar = useRef<QueryBarHandle>(null);
  const [timeOpen, setTimeOpen] = useState(false);
  const found = useResource(
    `patterns ${sort} ${windowKey(window)}`,
    (signal) => api.patterns(window, sort, 300, signal),
  );
  const suggest = useSuggestions(window);
  const dimmed = useLasting(found.loading && !found.current, 300);
  const refused = found.error?.status === 400 ? found.error : null;
  useArrival();
  useEffect(() => titled(query || null, 'Patterns'), [query]);

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
  const search = (text: string): void =>
    go(addressOf('/search', { q: text, from: parameters.get('from'), to: parameters.get('to') }));
  return (
    <div className='page'>
      <header className='bar'>
        <h1 tabIndex={-1}>Patterns</h1>
        <span className='sp' />
        <button type='button' className='btn ghost' onClick={() => search(query)}>
          <Icon name='text-search' size={14} /> <span className='hide-s'>Search these records</span>
        </button>
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
      <section className='panel' aria-label='Patterns of this window'>
        <div className='panel-h'>
          <p className='said'>{found.data ? sentence(found.data) : ' '}</p>
          <span className='sp' />
          <Segmented
            label='Sort patterns'
            options={sorts}
            chosen={sort}
            onChoose={(value) => patch({ sort: value === 'count' ? null : value }, 'replace')}
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
          ? <Skeleton rows={14} label='Loading patterns' />
          : found.data.patterns.length === 0
          ? (
            <EmptyState icon='layers' title='No patterns here'>
              <p>
                No record of this window matches. Press <kbd>z</kbd> for a wider one.
              </p>
            </EmptyState>
          )
          : (
            <PatternTable
              list={found.data}
              zone={zone}
              start={window.start}
              dimmed={dimmed}
              onInclude={(pattern) => search(changed(query, 'pattern', String(pattern.id), 'only'))}
              onExclude={(pattern) => setQuery(changed(query, 'pattern', String(pattern.id), 'exclude'))}
            />
          )}
      </section>
    </div>
  );
}

/** How few patterns make up nearly everything. */
export function sentence(list: api.PatternList): string {
  const counts = list.patterns.map((each) => each.count).sort((left, right) => right - left);
  const total = list.records || counts.reduce((sum, each) => sum + each, 0);
  let sum = 0;
  let loud = 0;
  while (loud < counts.length && sum < total * 0.9) sum += counts[loud++]!;
  const all = `${plural(total, 'record')} in ${plural(list.total, 'pattern')}.`;
  if (list.total < 6 || loud >= list.total || sum < total * 0.9) return all;
  return `${all} ${share(sum / total)} of them ${
    loud === 1 ? 'is one pattern' : `are ${number(loud)} patterns`
  }; the other ${number(list.total - loud)} share the rest.`;
}
