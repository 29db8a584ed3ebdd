import { useEffect, useRef, useState } from 'react';
import * as api from '../api.ts';
import { number, plural } from '../model/numbers.ts';
import type { FilterChange } from '../model/query.ts';
import { type Fields, fieldTitle, type LogRecord, oneLine, recordOf, shown } from '../model/records.ts';
import { plainText, segments } from '../model/segments.ts';
import { severityOf } from '../model/severity.ts';
import { clock, day, type Zone, zoneName } from '../model/time.ts';
import { useResource } from '../resource.ts';
import { Icon } from './icon.tsx';
import { LevelChip, LevelMark } from './levelMark.tsx';
import { Message } from './message.tsx';
import { ErrorState, Skeleton } from './states.tsx';
import { TabPanel, Tabs } from './tabs.tsx';
import { copy } from './toast.tsx';

export const detailTabs = ['fields', 'context', 'similar', 'raw'] as const;
export type DetailTab = (typeof detailTabs)[number];

/** A detail shows so much of a message at once; the rest on request. */
const firstCharacters = 20_000;

/** One record beside its list. */
export function RecordDetail(props: {
  record: LogRecord;
  zone: Zone;
  needles: readonly string[];
  tab: DetailTab;
  position: string;
  hasPrevious: boolean;
  hasNext: boolean;
  columns: readonly string[];
  window: api.Window;
  onTab: (tab: DetailTab) => void;
  onMove: (delta: number) => void;
  onClose: () => void;
  onShare: () => void;
  onFilter: (field: string, value: string, change: FilterChange) => void;
  onColumn: (field: string) => void;
  onRecord: (id: string) => void;
}) {
  const { record, zone } = props;
  const [whole, setWhole] = useState<string | null>(null);
  const long = record.message.length > firstCharacters && whole !== record.id;
  const message = long ? record.message.slice(0, firstCharacters) : record.message;
  return (
    <section className='drawer' aria-label='Record'>
      <header className='drawer-h'>
        <LevelChip severity={record.severity} />
        <span className='drawer-t' title={record.fields['_time']}>
          <b>{clock(record.time, zone)}</b> <small>{day(record.time, zone)} · {zoneName(zone)}</small>
        </span>
        <span className='sp' />
        <button
          type='button'
          className='ib'
          aria-label='Previous record (k)'
          disabled={!props.hasPrevious}
          onClick={() => props.onMove(-1)}
        >
          <Icon name='arrow-up' size={15} />
        </button>
        <button
          type='button'
          className='ib'
          aria-label='Next record (j)'
          disabled={!props.hasNext}
          onClick={() => props.onMove(1)}
        >
          <Icon name='arrow-down' size={15} />
        </button>
        <button type='button' className='ib' aria-label='Copy a link to this record' onClick={props.onShare}>
          <Icon name='link-2' size={15} />
        </button>
        <button type='button' className='ib' aria-label='Close (Escape)' onClick={props.onClose}>
          <Icon name='x' size={16} />
        </button>
      </header>
      <div className='drawer-b'>
        <div className={`msg lvl-${record.severity}`}>
          <pre tabIndex={0} aria-label='Message'><Message segments={segments(message, props.needles)} /></pre>
          <button
            type='button'
            className='ib sm msg-copy'
            aria-label='Copy message'
            onClick={() => copy(record.message, 'Message')}
          >
            <Icon name='copy' size={13} />
          </button>
          {long && (
            <button type='button' className='btn sm' onClick={() => setWhole(record.id)}>
              Show all {number(record.message.length)} characters
            </button>
          )}
        </div>
        {record.hit && (
          <p className='why'>
            <Icon name='sparkles' size={13} /> {record.hit.match === 'word'
              ? 'Found by its words.'
              : record.hit.match === 'meaning'
              ? 'Found by meaning: it says something alike in other words.'
              : 'Found by its words and by meaning.'}
            {record.hit.duplicates > 1 && ` Stands for ${plural(record.hit.duplicates, 'record')} alike.`}
          </p>
        )}
        <Tabs
          name='detail'
          label='Record details'
          chosen={props.tab}
          onChoose={(id) => props.onTab(id as DetailTab)}
          tabs={[
            { id: 'fields', label: 'Fields', count: String(visibleFields(record.fields).length) },
            { id: 'context', label: 'Context' },
            { id: 'similar', label: 'Similar' },
            { id: 'raw', label: 'Raw' },
          ]}
        />
        <TabPanel name='detail' chosen={props.tab} className='drawer-p'>
          {props.tab === 'fields' && <FieldTable {...props} />}
          {props.tab === 'context' && <ContextList key={record.id} {...props} />}
          {props.tab === 'similar' && <Similar key={record.id} {...props} />}
          {props.tab === 'raw' && <Raw fields={record.fields} />}
        </TabPanel>
      </div>
    </section>
  );
}

const builtIn = new Set(['_msg', '_id', '_stream_id', 'template']);
const first = ['severity', 'service', 'namespace', 'kubernetes.namespace_name', 'kubernetes.pod_name', 'host', 'env'];

function visibleFields(fields: Fields): [string, string][] {
  const rank = (name: string): number => {
    const at = first.indexOf(name);
    return at >= 0 ? at : name.startsWith('_') || name === 'pattern' ? 200 : 100;
  };
  return Object.entries(fields).filter(([name]) => !builtIn.has(name)).sort((left, right) =>
    rank(left[0]) - rank(right[0])
  );
}

function FieldTable({ record, columns, onFilter, onColumn }: {
  record: LogRecord;
  columns: readonly string[];
  onFilter: (field: string, value: string, change: FilterChange) => void;
  onColumn: (field: string) => void;
}) {
  return (
    <dl className='kv'>
      {visibleFields(record.fields).map(([name, value]) => (
        <div key={name}>
          <dt title={name}>{name}</dt>
          <dd>
            <span className='kv-v' title={value}>{plainText(shown(value))}</span>
            <span className='kv-a'>
              {name !== '_time' && name !== '_stream' && (
                <>
                  <Action
                    icon='circle-plus'
                    label={`Filter for ${name} = ${value}`}
                    onClick={() => onFilter(name, value, 'include')}
                  />
                  <Action
                    icon='circle-minus'
                    label={`Exclude ${name} = ${value}`}
                    onClick={() => onFilter(name, value, 'exclude')}
                  />
                  <Action
                    icon='columns-3'
                    label={columns.includes(name) ? `Remove the column ${name}` : `Show ${name} as a column`}
                    onClick={() => onColumn(name)}
                  />
                </>
              )}
              <Action icon='copy' label={`Copy ${name}`} onClick={() => copy(value, fieldTitle(name))} />
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/* icons: circle-plus circle-minus columns-3 copy */
function Action(
  { icon, label, onClick }: {
    icon: 'circle-plus' | 'circle-minus' | 'columns-3' | 'copy';
    label: string;
    onClick: () => void;
  },
) {
  return (
    <button type='button' aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} size={13} />
    </button>
  );
}

function ContextList({ record, zone, onRecord }: { record: LogRecord; zone: Zone; onRecord: (id: string) => void }) {
  const [reach, setReach] = useState({ before: 20, after: 20 });
  const [wanted, setWanted] = useState('');
  const here = useRef<HTMLLIElement>(null);
  const found = useResource(
    `context ${record.id} ${reach.before} ${reach.after}`,
    (signal) => api.context(record.id, reach.before, reach.after, signal),
  );
  const arrived = found.data !== undefined;
  useEffect(() => {
    // Newer browsers answer a promise here, which must not become the effect's cleanup.
    here.current?.scrollIntoView({ block: 'center' });
  }, [arrived]);
  if (found.error && !found.data) return <ErrorState compact problem={found.error} onRetry={found.reload} />;
  if (!found.data) return <Skeleton rows={10} label='Loading the records around' />;
  const { records, anchor } = found.data;
  const needle = wanted.trim();
  const listed = records.map((fields, index) => ({ record: recordOf(fields, index), here: index === anchor }));
  // The oldest first, as the stream was written, whichever way the answer runs.
  const ordered = isAscending(records) ? listed : listed.reverse();
  const at = ordered.findIndex((each) => each.here);
  const shownList = needle
    ? ordered.filter((each) => each.here || each.record.message.toLowerCase().includes(needle.toLowerCase()))
    : ordered;
  return (
    <div className='ctx'>
      <div className='ctx-q'>
        <Icon name='search' size={13} />
        <input
          type='search'
          value={wanted}
          placeholder='Find in context'
          aria-label='Find in context'
          onChange={(event) => setWanted(event.target.value)}
        />
        <small title={record.fields['_stream']}>{record.fields['_stream']}</small>
      </div>
      {at >= reach.before && (
        <button
          type='button'
          className='more'
          onClick={() => setReach({ ...reach, before: reach.before + 50 })}
        >
          <Icon name='arrow-up' size={12} /> 50 earlier
        </button>
      )}
      <ol className={found.current ? '' : 'dim'}>
        {shownList.map(({ record: each, here: isHere }) => (
          <li
            key={each.id}
            ref={isHere ? here : undefined}
            className={`lvl-${each.severity}${isHere ? ' here' : ''}`}
            aria-current={isHere ? 'true' : undefined}
          >
            <button type='button' onClick={() => onRecord(each.id)} disabled={isHere} title={each.fields['_time']}>
              <time>{clock(each.time, zone)}</time> <LevelMark severity={each.severity} />{' '}
              <span>
                <Message segments={segments(oneLine(shown(each.message)), needle ? [needle] : [])} />
              </span>
            </button>
          </li>
        ))}
      </ol>
      {ordered.length - 1 - at >= reach.after && (
        <button
          type='button'
          className='more'
          onClick={() => setReach({ ...reach, after: reach.after + 50 })}
        >
          <Icon name='arrow-down' size={12} /> 50 later
        </button>
      )}
    </div>
  );
}

function isAscending(records: readonly Fields[]): boolean {
  return records.length < 2 || (records[0]!['_time'] ?? '') <= (records.at(-1)!['_time'] ?? '');
}

function Similar({ window, zone, record, onFilter, onRecord }: {
  window: api.Window;
  zone: Zone;
  record: LogRecord;
  onFilter: (field: string, value: string, change: FilterChange) => void;
  onRecord: (id: string) => void;
}) {
  const known = useResource(
    `pattern ${record.id}`,
    async (signal) => record.hit?.pattern || await api.patternOf(record.id, record.time, signal) || '',
  );
  const pattern = known.current ? known.data : undefined;
  const query = pattern ? `pattern:=${pattern}` : null;
  const found = useResource(query && `similar ${query} ${window.start} ${window.end}`, async (signal) => {
    const similar: Fields[] = [];
    for await (const batch of api.records({ ...window, query: query! }, 50, 0, signal)) similar.push(...batch);
    return similar;
  });
  if (pattern === '') {
    return <p className='empty-s'>This record's pattern is not known yet. New patterns are named within seconds.</p>;
  }
  const problem = known.error ?? found.error;
  if (problem && !found.data) {
    return <ErrorState compact problem={problem} onRetry={known.error ? known.reload : found.reload} />;
  }
  if (!found.data) return <Skeleton rows={8} label='Loading similar records' />;
  const others = found.data.filter((each) => each['_id'] !== record.id);
  return (
    <div className='ctx'>
      <p className='empty-s'>
        {others.length === 0
          ? 'No other record of this pattern in this window.'
          : `The newest of pattern ${pattern} in this window.`}
      </p>
      <div className='row-a'>
        <button type='button' className='btn sm' onClick={() => onFilter('pattern', pattern!, 'include')}>
          <Icon name='circle-plus' size={13} /> Only this pattern
        </button>
        <button type='button' className='btn sm ghost' onClick={() => onFilter('pattern', pattern!, 'exclude')}>
          <Icon name='circle-minus' size={13} /> Exclude it
        </button>
      </div>
      <ol>
        {others.map((fields) => {
          const each = recordOf(fields);
          return (
            <li key={each.id} className={`lvl-${each.severity}`}>
              <button type='button' onClick={() => onRecord(each.id)} title={fields['_time']}>
                <time>{clock(each.time, zone)}</time> <LevelMark severity={each.severity} />{' '}
                <span>
                  <Message segments={segments(oneLine(shown(each.message)))} />
                </span>
              </button>
            </li>
          );
        })}
      </ol>
      <NearInMeaning window={window} zone={zone} record={record} onRecord={onRecord} />
    </div>
  );
}

/** Records of other patterns that say something alike, one a pattern. */
function NearInMeaning({ window, zone, record, onRecord }: {
  window: api.Window;
  zone: Zone;
  record: LogRecord;
  onRecord: (id: string) => void;
}) {
  const found = useResource(
    `near ${record.id} ${window.start} ${window.end}`,
    (signal) => api.similarRecords(record.id, window, 20, signal),
  );
  if (found.error && !found.data) return <ErrorState compact problem={found.error} onRetry={found.reload} />;
  if (!found.data) return <Skeleton rows={4} label='Loading records near in meaning' />;
  return (
    <section aria-label='Near in meaning'>
      <p className='empty-s'>
        {found.data.length === 0
          ? 'No other pattern in this window is near in meaning.'
          : 'Other patterns near in meaning, the nearest first: the newest record of each.'}
      </p>
      <ol>
        {found.data.map((hit) => (
          <li key={hit.id} className={`lvl-${severityOf(hit.severity)}`}>
            <button
              type='button'
              onClick={() => onRecord(hit.id)}
              title={`${hit.timestamp} · ${hit.duplicate_count} of pattern ${hit.pattern} in this window`}
            >
              <time>{clock(Date.parse(hit.timestamp) || 0, zone)}</time>{' '}
              <LevelMark severity={severityOf(hit.severity)} />{' '}
              <span>
                <Message segments={segments(oneLine(shown(hit.log)))} />
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Raw({ fields }: { fields: Fields }) {
  const text = JSON.stringify(fields, null, 2);
  return (
    <div className='raw-box'>
      <button type='button' className='btn sm' onClick={() => copy(text, 'Record')}>
        <Icon name='copy' size={13} /> Copy JSON
      </button>
      <pre className='raw' tabIndex={0} aria-label='Record as JSON'>{text}</pre>
    </div>
  );
}
