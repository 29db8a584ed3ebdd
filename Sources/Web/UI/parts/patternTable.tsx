import { useState } from 'react';
import type { Pattern, PatternList } from '../api.ts';
import { now } from '../clock.ts';
import { newSince } from '../model/insights.ts';
import { compact, number, plural, share } from '../model/numbers.ts';
import { slots } from '../model/segments.ts';
import { severityOf } from '../model/severity.ts';
import { ago, moment, type Zone } from '../model/time.ts';
import { Icon } from './icon.tsx';
import { LevelMark } from './levelMark.tsx';
import { Message } from './message.tsx';
import { Sparkline } from './sparkline.tsx';

/** How a count compares with the window before. */
export function changeOf(
  pattern: Pattern,
  start: number,
  baseline: number,
): { text: string; kind: 'new' | 'up' | 'down' | 'same' } {
  const first = Date.parse(pattern.first_seen);
  if (pattern.previous_count === 0) {
    if (first >= baseline) return { text: 'new', kind: 'new' };
    return first >= start ? { text: '–', kind: 'same' } : { text: 'back', kind: 'up' };
  }
  const ratio = pattern.count / pattern.previous_count;
  if (ratio >= 1.3) return { text: `×${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(1)}`, kind: 'up' };
  if (ratio <= 0.77) return { text: `−${Math.round((1 - ratio) * 100)} %`, kind: 'down' };
  return { text: 'steady', kind: 'same' };
}

/** Patterns of a window: template with tinted slots, count, share, shape over time, change. Rows open. */
export function PatternTable({ list, zone, start, dimmed, onInclude, onExclude }: {
  list: PatternList;
  zone: Zone;
  start: number;
  dimmed: boolean;
  onInclude: (pattern: Pattern) => void;
  onExclude: (pattern: Pattern) => void;
}) {
  const [open, setOpen] = useState<number | null>(null);
  const baseline = newSince(list.patterns, start);
  const peak = list.patterns.reduce((most, each) => Math.max(most, each.share), 0.0001);
  return (
    <div className={dimmed ? 'rows dim' : 'rows'}>
      <table className='table patterns'>
        <thead>
          <tr>
            <th scope='col' className='p-lvl'>Level</th>
            <th scope='col'>Pattern</th>
            <th scope='col' className='num'>Count</th>
            <th scope='col' className='p-share hide-s'>Share</th>
            <th scope='col' className='p-spark hide-s'>Over time</th>
            <th scope='col' className='p-change'>Change</th>
            <th scope='col' className='p-seen hide-m'>Last seen</th>
          </tr>
        </thead>
        <tbody>
          {list.patterns.map((pattern) => (
            <PatternRow
              key={pattern.id}
              {...{ pattern, zone, start, baseline, peak, onInclude, onExclude }}
              open={open === pattern.id}
              onOpen={() => setOpen(open === pattern.id ? null : pattern.id)}
            />
          ))}
        </tbody>
      </table>
      {list.patterns.length < list.total && (
        <p className='foot-note'>
          Showing {number(list.patterns.length)} of {plural(list.total, 'pattern')}. Narrow the query to see the others.
        </p>
      )}
    </div>
  );
}

function PatternRow({ pattern, zone, start, baseline, peak, open, onOpen, onInclude, onExclude }: {
  pattern: Pattern;
  zone: Zone;
  start: number;
  baseline: number;
  peak: number;
  open: boolean;
  onOpen: () => void;
  onInclude: (pattern: Pattern) => void;
  onExclude: (pattern: Pattern) => void;
}) {
  const severity = severityOf(pattern.level);
  const change = changeOf(pattern, start, baseline);
  return (
    <>
      <tr className={`lvl-${severity}${open ? ' open' : ''}`}>
        <td className='p-lvl'>
          <LevelMark severity={severity} />
        </td>
        <td className='p-text'>
          <button type='button' aria-expanded={open} title={pattern.text} onClick={onOpen}>
            <Icon name={open ? 'chevron-down' : 'chevron-right'} size={13} />
            <span>
              <Message segments={slots(pattern.text)} />
            </span>
          </button>
        </td>
        <td className='num' title={`${number(pattern.count)} records`}>{compact(pattern.count)}</td>
        <td className='p-share hide-s'>
          <span className='p-bar'>
            <i style={{ width: `${Math.max(2, (pattern.share / peak) * 100)}%` }} />
          </span>
          <small>{share(pattern.share)}</small>
        </td>
        <td className='p-spark hide-s'>
          <Sparkline counts={pattern.counts} width={132} />
        </td>
        <td className='p-change'>
          <span className={`change ${change.kind}`} title={`${number(pattern.previous_count)} in the window before`}>
            {change.text}
          </span>
        </td>
        <td className='p-seen hide-m' title={pattern.last_seen}>{ago(Date.parse(pattern.last_seen), now())}</td>
      </tr>
      {open && (
        <tr className='p-open'>
          <td />
          <td colSpan={6}>
            <div className='p-more'>
              <pre className={`sample lvl-${severity}`} tabIndex={0} aria-label='Sample'>{pattern.sample}</pre>
              <dl className='facts'>
                <div>
                  <dt>Records</dt>
                  <dd>{number(pattern.count)} now, {number(pattern.previous_count)} in the window before</dd>
                </div>
                <div>
                  <dt>Streams</dt>
                  <dd>{number(pattern.streams)}</dd>
                </div>
                <div>
                  <dt>First seen</dt>
                  <dd>{moment(Date.parse(pattern.first_seen), zone, now(), true)}</dd>
                </div>
                <div>
                  <dt>Last seen</dt>
                  <dd>{moment(Date.parse(pattern.last_seen), zone, now(), true)}</dd>
                </div>
              </dl>
              <div className='row-a'>
                <button type='button' className='btn sm' onClick={() => onInclude(pattern)}>
                  <Icon name='circle-plus' size={13} /> Show its records
                </button>
                <button type='button' className='btn sm ghost' onClick={() => onExclude(pattern)}>
                  <Icon name='circle-minus' size={13} /> Exclude from the query
                </button>
              </div>
            </div>
          </td>
        </tr>
      )}
    </>
  );
}
