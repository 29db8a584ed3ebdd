import { type ReactElement, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import * as api from '../api.ts';
import { now } from '../clock.ts';
import { useInsightFeed } from '../insightFeed.ts';
import { useEscape, useKeys } from '../keys.ts';
import { bucketsOf, stepFor, stepText } from '../model/buckets.ts';
import { patternQuery, remarksOf } from '../model/incidents.ts';
import { insights, unusual } from '../model/insights.ts';
import { byteCount, compact, number } from '../model/numbers.ts';
import {
  changed,
  fieldFilter,
  type FilterChange,
  filterOf,
  hasPipes,
  joinQuery,
  joinWords,
  needlesOf,
  splitQuery,
  splitWords,
  withoutField,
} from '../model/query.ts';
import { type LogRecord, recordOf, sourceColumn } from '../model/records.ts';
import { type Severity, severityOf } from '../model/severity.ts';
import { absolute, type Range, shifted, widened } from '../model/time.ts';
import { ExplainDialog } from '../parts/explainDialog.tsx';
import { FacetList, type FacetView } from '../parts/facetList.tsx';
import { Icon } from '../parts/icon.tsx';
import { LogTable, type LogTableHandle, positionText } from '../parts/logTable.tsx';
import { PatternTable } from '../parts/patternTable.tsx';
import { Popover } from '../parts/popover.tsx';
import { type Mode, QueryBar, type QueryBarHandle } from '../parts/queryBar.tsx';
import { type DetailTab, detailTabs, RecordDetail } from '../parts/recordDetail.tsx';
import { ResultTable } from '../parts/resultTable.tsx';
import { Segmented } from '../parts/segmented.tsx';
import { EmptyState, ErrorState, Skeleton, useLasting } from '../parts/states.tsx';
import { StandsOut } from '../parts/standsOut.tsx';
import { TabPanel, Tabs } from '../parts/tabs.tsx';
import { TimeRange } from '../parts/timeRange.tsx';
import { copy, toast } from '../parts/toast.tsx';
import { VolumeChart } from '../parts/volumeChart.tsx';
import { keepInHistory, prefer, usePreferences } from '../preferences.ts';
import { problemOf, useResource } from '../resource.ts';
import { addressOf, go, patch, useAddress } from '../router.ts';
import { EmptyResults } from './search/emptyResults.tsx';
import { exportMax, exportRecords } from './search/exporting.ts';
import { loadedMax, useRecords } from './search/useRecords.ts';
import { useTail } from './search/useTail.ts';
import { rangeOf, titled, useArrival, useSuggestions, useWindow, windowKey } from './shared.ts';

const facetValues = 10;
const none: readonly api.Incident[] = [];
const patternSorts: { value: api.PatternSort; label: string }[] = [
  { value: 'count', label: 'Loudest' },
  { value: 'new', label: 'New' },
  { value: 'rising', label: 'Rising' },
  { value: 'rare', label: 'Rarest' },
];

/** The explorer: a query over a window of time, seen as a chart, facets, records and patterns. */
export function SearchPage() {
  const { parameters } = useAddress();
  const preferences = usePreferences();
  const { zone } = preferences;
  const query = parameters.get('q') ?? '';
  const range = rangeOf(parameters);
  const mode: Mode = parameters.get('mode') === 'meaning' ? 'meaning' : 'filter';
  const meaning = mode === 'meaning';
  const view = !meaning && parameters.get('view') === 'patterns' ? 'patterns' : 'records';
  const openId = parameters.get('record');
  const wrap = parameters.get('wrap') === '1';
  const live = !meaning && parameters.get('live') === '1';
  const tab = (detailTabs as readonly string[]).includes(parameters.get('tab') ?? '')
    ? parameters.get('tab') as DetailTab
    : 'fields';
  const sort = patternSorts.find((each) => each.value === parameters.get('sort'))?.value ?? 'count';
  const [runs, setRuns] = useState(0);
  const window = useWindow(query, range, runs);
  const key = windowKey(window);
  // What the chart, the facets and the patterns look at: pipes change rows, not what was matched.
  const words = useMemo(() => splitWords(query), [query]);
  const scope = useMemo(
    () => ({ ...window, query: meaning ? joinQuery(words.clauses, '') || '*' : filterOf(query) }),
    [window, meaning, query],
  );
  const scopeKey = windowKey(scope);

  const bar = useRef<QueryBarHandle>(null);
  const list = useRef<LogTableHandle>(null);
  const [timeOpen, setTimeOpen] = useState(false);
  const [cursorId, setCursorId] = useState<string | null>(openId);
  const [hidden, setHidden] = useState<ReadonlySet<Severity>>(new Set());
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set());
  const [scrolled, setScrolled] = useState(false);
  const [selecting, setSelecting] = useState(false);
  const [facetsOpen, setFacetsOpen] = useState(false);
  const [explaining, setExplaining] = useState(false);

  // Data ---------------------------------------------------------------------------------------------------------

  const found = useRecords(meaning ? null : window);
  const hits = useResource(`hits ${scopeKey}`, async (signal) => {
    const step = stepFor(scope.start, scope.end, 960);
    return { answer: await api.hits(scope, stepText(step), signal), step, start: scope.start, end: scope.end };
  });
  const facets = useResource(`facets ${scopeKey} ${[...expanded].join(' ')}`, async (signal) => {
    // A field's own filter does not hide its other values.
    const own = new Set(splitQuery(scope.query).clauses.map((each) => each.field));
    const main = await api.facets(scope, facetValues, signal);
    const names = new Set(
      [...main.map((each) => each.field_name), ...own].filter((each) =>
        !['_stream', 'pattern', '_msg', '_time'].includes(each)
      ),
    );
    return await Promise.all([...names].map(async (field): Promise<Omit<FacetView, 'filter'>> => {
      const limit = expanded.has(field) ? 100 : facetValues;
      const listed = main.find((each) => each.field_name === field)?.values ?? [];
      if (!own.has(field) && !expanded.has(field)) {
        const values = listed.map((each) => ({ value: each.field_value, hits: each.hits }));
        return { field, values, more: values.length >= limit };
      }
      const values = await api.fieldValues({ ...scope, query: withoutField(scope.query, field) }, field, limit, signal);
      return { field, values: values.slice(0, limit), more: values.length >= limit };
    }));
  });
  const rising = useResource(
    meaning ? null : `rising ${scopeKey}`,
    (signal) => api.patterns(scope, 'rising', 60, signal),
  );
  const patterns = useResource(
    view === 'patterns' ? `patterns ${sort} ${scopeKey}` : null,
    (signal) => api.patterns(scope, sort, 300, signal),
  );
  const similar = useResource(meaning && words.text ? `meaning ${key}` : null, async (signal) => {
    const answer = await api.searchByMeaning({ ...window, query: words.text }, scope.query, 100, signal);
    const best = answer.reduce((most, each) => Math.max(most, each.score), 0) || 1;
    return answer.map((each) => recordOfHit(each, best));
  });
  const watch = useInsightFeed();
  const watched = useResource(
    // The feed's first word starts it, so that it is not asked for twice.
    meaning || watch.generation === 0 ? null : `watched ${window.start} ${window.end} ${watch.generation}`,
    async (signal) => {
      const [incidents, anomalies] = await Promise.all([
        api.incidents(window, false, 50, signal),
        api.anomalies(window, true, 50, signal),
      ]);
      return { incidents: incidents.filter((each) => each.state !== 'merged'), anomalies };
    },
  );
  const incidents = watched.data?.incidents ?? none;
  const analyses = useResource('analyses 5', (signal) => api.analyses(5, signal));
  const paused = scrolled || selecting || openId !== null;
  const tail = useTail(live ? filterOf(query) : null, paused);
  const suggest = useSuggestions(window);

  // Following live, the window moves on now and then; never under what is being read.
  useEffect(() => {
    if (!live || paused) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setRuns((each) => each + 1);
    }, 15_000);
    return () => clearInterval(timer);
  }, [live, paused]);
  useEffect(() => {
    const onSelect = (): void => setSelecting(!!String(getSelection()));
    document.addEventListener('selectionchange', onSelect);
    return () => document.removeEventListener('selectionchange', onSelect);
  }, []);

  const records = useMemo(() => {
    if (meaning) return similar.data ?? [];
    if (!live || tail.records.length === 0) return found.records;
    const seen = new Set(tail.records.map((each) => each.id));
    return [...tail.records, ...found.records.filter((each) => !seen.has(each.id))];
  }, [meaning, similar.data, live, tail.records, found.records]);
  const loading = meaning ? similar.loading : found.loading;
  const current = meaning ? similar.current : found.current;
  const problem = meaning ? similar.error : found.problem;
  const refused = problem !== null && problem.status === 400 ? problem : null;
  const dimmed = useLasting(loading && !current, 300);
  const slow = useLasting(loading, 2000);
  const busy = loading || (!current && !problem) || hits.loading || (!hits.current && !hits.error);
  const tabular = !meaning && hasPipes(query) && records.length > 0 && !('_msg' in records[0]!.fields);

  const position = useMemo(() => {
    const at = records.findIndex((each) => each.id === (openId ?? cursorId));
    return at < 0 ? null : at;
  }, [records, openId, cursorId]);
  const listed = openId !== null && position !== null ? records[position]! : null;
  // A shared link may open a record that the list does not hold, and a hit by meaning lacks its other fields.
  const fetched = useResource(openId && (!listed || listed.hit) ? `record ${openId}` : null, async (signal) => {
    const answer = await api.context(openId!, 0, 0, signal);
    return answer.records[answer.anchor] ?? null;
  });
  const opened: LogRecord | null = useMemo(() => {
    if (!openId) return null;
    if (listed && !listed.hit) return listed;
    const fields = fetched.current ? fetched.data : null;
    if (!fields) return listed;
    return { ...recordOf(fields), id: openId, ...(listed?.hit ? { hit: listed.hit } : {}) };
  }, [openId, listed, fetched.current, fetched.data]);

  // Columns: the address's, or the one that says who wrote it.
  const chosen = parameters.get('cols');
  const guessed = useMemo(() => sourceColumn(records), [records.length > 0, records[0]?.id]);
  const columns = useMemo(
    () => chosen === null ? (guessed ? [guessed] : []) : chosen === '-' ? [] : chosen.split(',').filter(Boolean),
    [chosen, guessed],
  );
  const needles = useMemo(
    () => meaning ? words.text.split(/\s+/).filter((each) => each.length > 3) : needlesOf(query),
    [
      query,
      meaning,
    ],
  );

  useArrival();
  useEffect(() => titled(query || null, 'Search'), [query]);

  // Actions --------------------------------------------------------------------------------------------------------

  const setQuery = useCallback((value: string): void => {
    keepInHistory(value);
    patch({ q: value, record: null });
    setRuns((each) => each + 1);
  }, []);
  const setRange = (value: Range): void => {
    patch({ from: value.from, to: value.to === 'now' ? null : value.to, record: null });
    setRuns((each) => each + 1);
  };
  const setMode = (value: Mode): void =>
    patch({
      mode: value === 'meaning' ? value : null,
      // The pills stay; words are words in both.
      q: value === 'meaning' ? joinWords(splitQuery(query).clauses, needlesOf(query).join(' ')) : query,
      record: null,
      view: null,
      live: null,
    });
  const filter = (field: string, value: string, change: FilterChange): void =>
    setQuery(
      meaning
        ? joinWords(splitQuery(changed(joinQuery(words.clauses, ''), field, value, change)).clauses, words.text)
        : changed(query, field, value, change),
    );
  const open = (id: string | null, push = openId === null): void => {
    if (id) setCursorId(id);
    patch({ record: id }, push ? 'push' : 'replace');
  };
  const move = (delta: number): void => {
    if (records.length === 0) return;
    const next = Math.max(0, Math.min(records.length - 1, (position ?? (delta > 0 ? -1 : 0)) + delta));
    const record = records[next]!;
    setCursorId(record.id);
    if (openId) open(record.id, false);
    list.current?.reveal(next);
  };
  const toggleColumn = (name: string): void => {
    const next = columns.includes(name) ? columns.filter((each) => each !== name) : [...columns, name];
    patch({ cols: next.join(',') || '-' }, 'replace');
  };
  const share = (fixed: boolean): void => {
    const address = new URL(location.href);
    if (fixed) {
      address.searchParams.set('from', new Date(window.start).toISOString());
      address.searchParams.set('to', new Date(window.end).toISOString());
    }
    address.searchParams.delete('live');
    copy(String(address), fixed ? 'Link with fixed times' : 'Link');
  };
  const analyze = async (): Promise<void> => {
    try {
      const started = await api.startAnalysis({
        namespace: null,
        time_range_hours: Math.max(1, Math.min(168, Math.ceil((window.end - window.start) / 3_600_000))),
        min_cluster_size: 2,
        start: new Date(window.start).toISOString(),
        end: new Date(window.end).toISOString(),
      });
      go(`/analyses/${started.id}`);
    } catch (error) {
      toast(`The analysis did not start: ${problemOf(error).title}`);
    }
  };
  const resume = (): void => {
    getSelection()?.removeAllRanges();
    if (openId) open(null);
    list.current?.toTop();
    setScrolled(false);
  };

  useEscape(openId !== null, () => open(null, true));
  useEscape(facetsOpen, () => setFacetsOpen(false));
  const byPattern = (change: FilterChange) => async (): Promise<void> => {
    const record = position === null ? null : records[position]!;
    if (!record) {
      toast('Choose a record first: its pattern is then known.');
      return;
    }
    try {
      const pattern = record.hit?.pattern || await api.patternOf(record.id, record.time);
      if (pattern) filter('pattern', pattern, change);
      else toast("This record's pattern is not known yet.");
    } catch (error) {
      toast(problemOf(error).title);
    }
  };
  const openAtCursor = (): void => {
    if (position !== null) open(records[position]!.id);
  };
  const turnTab = (step: number): void => {
    if (!openId) return;
    const next = detailTabs[(detailTabs.indexOf(tab) + step + detailTabs.length) % detailTabs.length]!;
    patch({ tab: next === 'fields' ? null : next }, 'replace');
  };
  useKeys({
    '/': () => bar.current?.focus(),
    t: () => setTimeOpen(true),
    j: () => move(1),
    k: () => move(-1),
    o: openAtCursor,
    z: () => setRange(widened(window.start, window.end, now())),
    'Shift+ArrowLeft': () => setRange(shifted(window.start, window.end, -1)),
    'Shift+ArrowRight': () => setRange(shifted(window.start, window.end, 1)),
    l: () => patch({ live: live ? null : '1', view: null, mode: null }, 'replace'),
    w: () => patch({ wrap: wrap ? null : '1' }, 'replace'),
    f: () => {
      // Where the fields are a sheet, the key opens the sheet.
      if (innerWidth < 1200) setFacetsOpen(!facetsOpen);
      else prefer({ facets: !preferences.facets });
    },
    c: () => {
      if (!openId && position !== null) patch({ record: records[position]!.id, tab: 'context' });
      else if (openId) patch({ tab: 'context' }, 'replace');
    },
    '[': () => turnTab(-1),
    ']': () => turnTab(1),
    y: () => share(false),
    i: byPattern('include'),
    e: byPattern('exclude'),
  });

  // On arrival the open record is brought into view, once.
  const revealed = useRef(false);
  useEffect(() => {
    if (revealed.current || records.length === 0) return;
    revealed.current = true;
    if (position !== null) list.current?.reveal(position, true);
  }, [records.length, position]);

  // What is shown ----------------------------------------------------------------------------------------------------

  const buckets = useMemo(() => {
    const data = hits.data;
    if (data) return bucketsOf(data.answer.hits, data.start, data.end, data.step);
    return bucketsOf([], scope.start, scope.end, stepFor(scope.start, scope.end, 960));
  }, [hits.data]);
  const statistics = hits.data?.answer.statistics;
  const matched = statistics?.matched ?? hits.data?.answer.hits.reduce((sum, each) => sum + each.total, 0);
  const facetViews: FacetView[] = useMemo(() => {
    const views = (facets.data ?? []).map((each) => {
      const own = fieldFilter(scope.query, each.field);
      const values = [...each.values];
      for (const value of [...own.included, ...own.excluded]) {
        if (!values.some((known) => known.value === value)) values.push({ value, hits: 0 });
      }
      return { ...each, values, filter: own };
    });
    return views.sort((left, right) => facetRank(left) - facetRank(right));
  }, [facets.data, scope.query]);
  const remarks = useMemo(
    () =>
      rising.data
        ? insights(rising.data.patterns, scope.start).filter((each) => !preferences.dismissed.includes(each.key))
        : [],
    [rising.data, preferences.dismissed],
  );
  const foundOut = useMemo(
    () =>
      remarksOf(
        incidents,
        watched.data?.anomalies ?? [],
        window.start,
        window.end,
        (each) =>
          addressOf('/search', {
            q: patternQuery(each.pattern),
            from: parameters.get('from'),
            to: parameters.get('to'),
          }),
      ),
    [watched.data, window, parameters.get('from'), parameters.get('to')],
  );
  // What an incident tells is not told twice.
  const others = useMemo(() => {
    const told = new Set(
      foundOut.some((each) => each.kind === 'incident')
        ? incidents.flatMap((each) => each.anomalies.map((anomaly) => anomaly.pattern))
        : [],
    );
    return remarks.filter((each) => !told.has(each.pattern.id));
  }, [remarks, foundOut, incidents]);
  const onsets = useMemo(
    () =>
      incidents.filter((each) => each.status !== 'muted').map((each) => ({
        time: Date.parse(each.onset),
        title: each.title,
      })),
    [incidents],
  );
  const shaded = useMemo(
    () => unusual(analyses.data ?? [], scope.start, scope.end),
    [analyses.data, scope.start, scope.end],
  );
  const rowHeight = { compact: 20, normal: 24, relaxed: 30 }[preferences.density];
  const showFacets = preferences.facets;
  const nothing = !loading && current && records.length === 0 && !problem;
  const foot = found.complete || meaning
    ? records.length >= loadedMax
      ? `This list ends at ${number(loadedMax)} records. Narrow the window to go on.`
      : undefined
    : found.loading
    ? 'Loading older records…'
    : undefined;

  return (
    <div className='page search' aria-busy={busy}>
      <header className='bar'>
        <h1 tabIndex={-1}>Search</h1>
        <span className='sp' />
        <Popover
          role='menu'
          align='end'
          label='Share'
          className='btn ghost'
          button={
            <>
              <Icon name='share-2' size={14} /> <span className='hide-s'>Share</span>
            </>
          }
        >
          {(close) => (
            <div className='menu'>
              <button type='button' role='menuitem' onClick={() => (share(false), close())}>
                <Icon name='link' size={14} /> Copy link <kbd>y</kbd>
              </button>
              <button type='button' role='menuitem' onClick={() => (share(true), close())}>
                <Icon name='clock' size={14} /> Copy link with fixed times
              </button>
            </div>
          )}
        </Popover>
        <button type='button' className='btn ai' onClick={analyze}>
          <Icon name='sparkles' size={14} /> <span className='hide-s'>Analyze this window</span>
          <span className='show-s' aria-hidden='true'>Analyze</span>
        </button>
      </header>
      <div className='query' role='search'>
        <QueryBar
          ref={bar}
          query={query}
          mode={mode}
          problem={refused}
          history={preferences.history}
          suggest={suggest}
          onQuery={setQuery}
          onMode={setMode}
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
        <button
          type='button'
          className={live ? 'btn live on' : 'btn live'}
          aria-pressed={live}
          title='Live tail (l)'
          disabled={meaning}
          onClick={() => patch({ live: live ? null : '1', view: null }, 'replace')}
        >
          <i className='pulse' /> Live
        </button>
      </div>
      <div className={showFacets ? 'cols' : 'cols no-facets'}>
        {showFacets && (
          <FacetList
            facets={facetViews}
            loading={facets.loading}
            dimmed={dimmed && !facets.current}
            folded={preferences.folded}
            open={facetsOpen}
            onClose={() => setFacetsOpen(false)}
            onFold={(field, folded) => prefer({ folded: { ...preferences.folded, [field]: folded } })}
            onChange={filter}
            onMore={(field) => setExpanded(new Set([...expanded, field]))}
          />
        )}
        {facetsOpen && (
          <button
            type='button'
            className='scrim'
            aria-label='Close the fields'
            onClick={() => setFacetsOpen(false)}
          />
        )}
        <section className='center' aria-label='Results'>
          {foundOut.length + others.length > 0 && !meaning && (
            <StandsOut
              remarks={foundOut}
              insights={others.slice(0, 4 - foundOut.length)}
              onChoose={(each) => filter('pattern', String(each.pattern.id), 'only')}
              onDismiss={(each) => prefer({ dismissed: [...preferences.dismissed.slice(-200), each.key] })}
            />
          )}
          <div className='plot'>
            {hits.error && !hits.data && hits.error.status !== 400
              ? <ErrorState compact problem={hits.error} onRetry={hits.reload} />
              : (
                <VolumeChart
                  buckets={buckets}
                  zone={zone}
                  mark={opened?.time ?? null}
                  span={shaded}
                  onsets={onsets}
                  hits={meaning ? records.map((each) => each.time) : []}
                  hidden={hidden}
                  dimmed={dimmed && !hits.current}
                  onToggle={(severity) => {
                    const next = new Set(hidden);
                    if (!next.delete(severity)) next.add(severity);
                    setHidden(next);
                  }}
                  onZoom={(start, end) => setRange(absolute(start, end))}
                />
              )}
          </div>
          <div className='tools'>
            <Tabs
              name='view'
              label='Result views'
              chosen={view}
              onChoose={(id) => patch({ view: id === 'records' ? null : id, record: null })}
              tabs={meaning
                ? [{
                  id: 'records',
                  label: 'Nearest records',
                  count: current && similar.data ? number(records.length) : undefined,
                }]
                : [
                  {
                    id: 'records',
                    label: tabular ? 'Rows' : 'Records',
                    count: tabular ? number(records.length) : matched === undefined ? undefined : number(matched),
                  },
                  { id: 'patterns', label: 'Patterns', count: rising.data ? number(rising.data.total) : undefined },
                ]}
            />
            <span className='sp' />
            {view === 'patterns'
              ? (
                <Segmented
                  label='Sort patterns'
                  options={patternSorts}
                  chosen={sort}
                  onChoose={(value) => patch({ sort: value === 'count' ? null : value }, 'replace')}
                />
              )
              : (
                <>
                  {slow && found.loading && (
                    <button type='button' className='tb' onClick={found.stop}>
                      <Icon name='circle-stop' size={14} /> Stop
                    </button>
                  )}
                  <button
                    type='button'
                    className='tb show-n'
                    title='Fields (f)'
                    onClick={() => {
                      prefer({ facets: true });
                      setFacetsOpen(true);
                    }}
                  >
                    <Icon name='list-filter' size={14} /> <span className='hide-s'>Fields</span>
                  </button>
                  <button
                    type='button'
                    className='tb'
                    aria-pressed={wrap}
                    title='Wrap lines (w)'
                    onClick={() => patch({ wrap: wrap ? null : '1' }, 'replace')}
                  >
                    <Icon name='text-wrap' size={14} /> <span className='hide-s'>Wrap</span>
                  </button>
                  <ColumnsMenu window={scope} columns={columns} onToggle={toggleColumn} />
                  {!meaning && (
                    <Popover
                      role='menu'
                      align='end'
                      label='Export'
                      className='tb'
                      button={
                        <>
                          <Icon name='download' size={14} /> <span className='hide-s'>Export</span>
                        </>
                      }
                    >
                      {(close) => (
                        <div className='menu'>
                          <p className='menu-note'>
                            {matched !== undefined && matched > exportMax
                              ? `The newest ${number(exportMax)} of ${number(matched)} records`
                              : `All ${number(tabular ? records.length : matched ?? 0)} ${
                                tabular ? 'rows' : 'records'
                              }`}
                          </p>
                          {([['jsonl', 'JSON lines'], ['csv', 'CSV'], ['txt', 'Text']] as const).map((
                            [format, label],
                          ) => (
                            <button
                              key={format}
                              type='button'
                              role='menuitem'
                              onClick={() => (exportRecords(window, format), close())}
                            >
                              <Icon name='file-down' size={14} /> {label}
                            </button>
                          ))}
                        </div>
                      )}
                    </Popover>
                  )}
                </>
              )}
          </div>
          {live && (
            <LiveBar
              tail={tail}
              paused={paused}
              onResume={resume}
              onStop={() => patch({ live: null }, 'replace')}
            />
          )}
          <TabPanel name='view' chosen={view} className='body'>
            {view === 'patterns'
              ? (
                <PatternsView
                  found={patterns}
                  render={(data) => (
                    <PatternTable
                      list={data}
                      zone={zone}
                      start={scope.start}
                      dimmed={dimmed}
                      onInclude={(each) =>
                        patch({ q: changed(query, 'pattern', String(each.id), 'only'), view: null, record: null })}
                      onExclude={(each) => filter('pattern', String(each.id), 'exclude')}
                    />
                  )}
                />
              )
              : problem && !refused && records.length === 0
              ? <ErrorState problem={problem} onRetry={meaning ? similar.reload : found.reload} />
              : refused && records.length === 0
              ? (
                <EmptyState icon='search-x' title='The query cannot be read'>
                  <p>{refused.detail || refused.title}</p>
                </EmptyState>
              )
              : meaning && !words.text
              ? (
                <EmptyState icon='sparkles' title='Say what you are looking for'>
                  <p>
                    In your own words: “payments refused because a pool ran out”. Records that say it another way are
                    found too, and exact identifiers come first.
                  </p>
                </EmptyState>
              )
              : nothing
              ? meaning
                ? (
                  <EmptyState icon='search-x' title='Nothing near in this window'>
                    <p>Try other words, or a wider window.</p>
                  </EmptyState>
                )
                : <EmptyResults window={window} zone={zone} onQuery={setQuery} onRange={setRange} />
              : records.length === 0
              ? <Skeleton rows={16} label='Loading records' />
              : tabular
              ? <ResultTable rows={records} dimmed={dimmed} />
              : (
                <LogTable
                  ref={list}
                  listKey={live ? 'live' : key}
                  records={records}
                  selected={position}
                  wrap={wrap}
                  zone={zone}
                  columns={columns}
                  needles={needles}
                  rowHeight={rowHeight}
                  dimmed={dimmed}
                  {...(live && !paused ? { fresh: tail.fresh } : {})}
                  {...(meaning ? { lead: hitMark, leadTitle: 'Found by' } : {})}
                  foot={foot}
                  onSelect={(at) => open(records[at]!.id)}
                  onMove={move}
                  onOpen={openAtCursor}
                  onEnd={found.more}
                  onScrolled={(top) => setScrolled(top > 4)}
                />
              )}
            {view === 'records' && openId && (opened
              ? (
                <RecordDetail
                  record={opened}
                  zone={zone}
                  needles={needles}
                  tab={tab}
                  position={position === null ? '' : positionText(position, records.length)}
                  hasPrevious={position !== null && position > 0}
                  hasNext={position !== null && position < records.length - 1}
                  columns={columns}
                  window={scope}
                  onTab={(value) => patch({ tab: value === 'fields' ? null : value }, 'replace')}
                  onMove={move}
                  onClose={() => open(null, true)}
                  onShare={() => share(true)}
                  onFilter={filter}
                  onColumn={toggleColumn}
                  onRecord={(id) => open(id, true)}
                />
              )
              : (
                <section className='drawer' aria-label='Record'>
                  <header className='drawer-h'>
                    <span className='drawer-t'>Record</span>
                    <span className='sp' />
                    <button type='button' className='ib' aria-label='Close (Escape)' onClick={() => open(null, true)}>
                      <Icon name='x' size={16} />
                    </button>
                  </header>
                  {fetched.error
                    ? <ErrorState compact problem={fetched.error} onRetry={fetched.reload} />
                    : <Skeleton rows={10} label='Loading the record' />}
                </section>
              ))}
          </TabPanel>
          <footer className='status'>
            <span role='status'>
              <i className={problem ? 'bad' : 'ok'} /> {problem && !refused
                ? problem.title
                : matched === undefined
                ? 'Searching…'
                : `${number(matched)}${statistics ? ` of ${number(statistics.total)}` : ''} records`}
            </span>
            {statistics && (
              <span>
                {statistics.duration_ms < 10 ? statistics.duration_ms.toFixed(1) : Math.round(statistics.duration_ms)}
                {' '}
                ms
              </span>
            )}
            {statistics && (
              <span className='hide-m'>
                {statistics.blocks === 0
                  ? 'answered from memory'
                  : `opened ${number(statistics.blocks_opened)} of ${number(statistics.blocks)} blocks · ${
                    byteCount(statistics.bytes_read)
                  } read`}
              </span>
            )}
            {statistics && !meaning && (
              <button type='button' className='hide-m' onClick={() => setExplaining(true)}>Explain</button>
            )}
            {statistics && statistics.duration_ms > 2000 && (
              <span className='hide-m'>
                Slow: a word or a stream in the query, or a shorter window, opens fewer blocks.
              </span>
            )}
            <span className='sp' />
            <span className='keys hide-m' aria-hidden='true'>
              <kbd>j</kbd>
              <kbd>k</kbd> move <kbd>w</kbd> wrap <kbd>l</kbd> live <kbd>?</kbd> all shortcuts
            </span>
          </footer>
          {explaining && <ExplainDialog window={window} limit={100} onClose={() => setExplaining(false)} />}
        </section>
      </div>
    </div>
  );
}

/** Level first, then the usual names, then by how many records carry the field; fields with one value last. */
function facetRank(facet: FacetView): number {
  const usual = [
    'severity',
    'service',
    'namespace',
    'kubernetes.namespace_name',
    'container',
    'kubernetes.container_name',
    'env',
  ];
  const at = usual.indexOf(facet.field);
  if (at >= 0) return at;
  const active = facet.filter.included.size + facet.filter.excluded.size > 0;
  if (active) return 20;
  return facet.values.length < 2 ? 1000 : facet.more ? 60 : 40;
}

function recordOfHit(hit: api.MeaningHit, best: number): LogRecord {
  const fields: Record<string, string> = { ...hit.labels, _time: hit.timestamp, _msg: hit.log, severity: hit.severity };
  if (hit.namespace) fields['kubernetes.namespace_name'] ??= hit.namespace;
  if (hit.pod_name) fields['kubernetes.pod_name'] ??= hit.pod_name;
  if (hit.container_name) fields['kubernetes.container_name'] ??= hit.container_name;
  if (hit.node_name) fields['kubernetes.host'] ??= hit.node_name;
  if (hit.pattern !== null && hit.pattern !== undefined) fields['pattern'] = String(hit.pattern);
  return {
    id: hit.id,
    time: Date.parse(hit.timestamp) || 0,
    severity: severityOf(hit.severity),
    message: hit.log,
    fields,
    hit: {
      match: hit.match,
      score: hit.score / best,
      duplicates: hit.duplicate_count,
      pattern: fields['pattern'] ?? '',
    },
  };
}

/** How a record was found, and how near it is to the best. */
function hitMark(record: LogRecord) {
  if (!record.hit) return null;
  return (
    <span className='match' title={`${Math.round(record.hit.score * 100)} % of the best hit`}>
      <i>
        <b style={{ width: `${Math.max(6, record.hit.score * 100)}%` }} />
      </i>
      {record.hit.match}
      {record.hit.duplicates > 1 && <small>×{compact(record.hit.duplicates)}</small>}
    </span>
  );
}

function PatternsView({ found, render }: {
  found: ReturnType<typeof useResource<api.PatternList>>;
  render: (list: api.PatternList) => ReactElement;
}) {
  if (found.error && found.error.status !== 400 && !found.data) {
    return <ErrorState problem={found.error} onRetry={found.reload} />;
  }
  if (!found.data) return <Skeleton rows={12} label='Loading patterns' />;
  if (found.data.patterns.length === 0) {
    return (
      <EmptyState icon='layers' title='No patterns here'>
        <p>No record of this window matches the query.</p>
      </EmptyState>
    );
  }
  return render(found.data);
}

function LiveBar({ tail, paused, onResume, onStop }: {
  tail: ReturnType<typeof useTail>;
  paused: boolean;
  onResume: () => void;
  onStop: () => void;
}) {
  // Spoken at most every ten seconds, not line by line.
  const [spoken, setSpoken] = useState('');
  const waiting = useRef(0);
  waiting.current = tail.waiting;
  useEffect(() => {
    const timer = setInterval(
      () => setSpoken(waiting.current > 0 ? `${number(waiting.current)} new records` : ''),
      10_000,
    );
    return () => clearInterval(timer);
  }, []);
  return (
    <div className={paused ? 'livebar paused' : 'livebar'}>
      <i className='pulse' />
      {tail.problem
        ? <span>{tail.problem.title}. {tail.problem.unreachable ? 'Trying again…' : tail.problem.detail}</span>
        : !tail.connected
        ? <span>Connecting…</span>
        : paused
        ? <span>Paused, {number(tail.waiting)} new</span>
        : <span>Following, {tail.rate < 10 ? tail.rate.toFixed(1) : number(Math.round(tail.rate))} records/s</span>}
      {paused && <button type='button' className='btn sm' onClick={onResume}>Resume</button>}
      {tail.dropped > 0 && <span className='hide-s'>{number(tail.dropped)} older ones left out of this list</span>}
      <span className='sp' />
      <button type='button' className='btn sm ghost' onClick={onStop}>Stop</button>
      <span className='vh' role='status'>{spoken}</span>
    </div>
  );
}

function ColumnsMenu(
  { window, columns, onToggle }: { window: api.Window; columns: readonly string[]; onToggle: (name: string) => void },
) {
  return (
    <Popover
      align='end'
      label='Columns'
      className='tb'
      button={
        <>
          <Icon name='columns-3' size={14} /> <span className='hide-s'>Columns</span>
        </>
      }
    >
      {() => <ColumnList {...{ window, columns, onToggle }} />}
    </Popover>
  );
}

function ColumnList(
  { window, columns, onToggle }: { window: api.Window; columns: readonly string[]; onToggle: (name: string) => void },
) {
  const [wanted, setWanted] = useState('');
  const names = useResource(`names ${windowKey(window)}`, (signal) => api.fieldNames(window, signal));
  const all = new Set([...columns, ...(names.data ?? []).map((each) => each.value)]);
  const shown = [...all].filter((name) =>
    !['_time', '_msg', 'severity', '_stream_id', '_id'].includes(name) && name.includes(wanted.trim())
  );
  return (
    <div className='checklist'>
      <input
        type='search'
        className='input'
        data-autofocus
        placeholder='Find a field'
        aria-label='Find a field'
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      {names.error && !names.data && <ErrorState compact problem={names.error} onRetry={names.reload} />}
      <ul>
        {shown.map((name) => (
          <li key={name}>
            <label title={name}>
              <input type='checkbox' checked={columns.includes(name)} onChange={() => onToggle(name)} />
              <span>{name}</span>
            </label>
          </li>
        ))}
        {names.data && shown.length === 0 && <li className='menu-note'>No such field in this window.</li>}
      </ul>
    </div>
  );
}
