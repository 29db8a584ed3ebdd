import { type KeyboardEvent, type PointerEvent, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { type Buckets, ceiling, ticks } from '../model/buckets.ts';
import { compact, number } from '../model/numbers.ts';
import { severities, type Severity } from '../model/severity.ts';
import { DAY, day, hourMinute, MINUTE, parts, type Zone, zoneName } from '../model/time.ts';
import type { Unusual } from '../model/insights.ts';
import { Icon } from './icon.tsx';
import { Link } from './link.tsx';

const plotHeight = 104;
const left = 40;
const right = 8;
const top = 16;
const bottom = 18;
const legend = [...severities].reverse();

/** Records over time as stacked bars. Drag zooms, arrows move, Enter zooms, the legend hides levels. */
export function VolumeChart(
  { buckets, zone, mark, span = null, onsets = [], hits = [], hidden, dimmed, onToggle, onZoom }: {
    buckets: Buckets;
    zone: Zone;
    /** The open record's time. */
    mark: number | null;
    /** What an analysis found unusual. */
    span?: Unusual | null;
    /** When incidents began. */
    onsets?: readonly { time: number; title: string }[];
    /** Times found by meaning. */
    hits?: readonly number[];
    hidden: ReadonlySet<Severity>;
    dimmed: boolean;
    onToggle: (severity: Severity) => void;
    onZoom: (start: number, end: number) => void;
  },
) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(900);
  const [hover, setHover] = useState<number | null>(null);
  const [brush, setBrush] = useState<[number, number] | null>(null);
  const [asTable, setAsTable] = useState(false);
  useLayoutEffect(() => {
    const observer = new ResizeObserver((entries) => setWidth(Math.floor(entries[0]!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);

  const { from, step, count, counts } = buckets;
  const end = from + step * count;
  const inner = Math.max(40, width - left - right);
  const bar = inner / count;
  const drawn = useMemo(() => {
    const totals = new Float64Array(count);
    for (let bucket = 0; bucket < count; bucket++) {
      severities.forEach((severity, index) => {
        if (!hidden.has(severity)) totals[bucket]! += counts[bucket * severities.length + index]!;
      });
    }
    const peak = ceiling(totals.reduce((most, each) => Math.max(most, each), 0));
    const gap = bar > 6 ? 1.5 : bar > 2 ? 0.5 : 0;
    const paths = severities.map(() => '');
    for (let bucket = 0; bucket < count; bucket++) {
      let y = plotHeight + top;
      const x = (left + bucket * bar).toFixed(1);
      const wide = Math.max(0.5, bar - gap).toFixed(1);
      severities.forEach((severity, index) => {
        const value = counts[bucket * severities.length + index]!;
        if (hidden.has(severity) || value === 0) return;
        const tall = Math.max(1, (value / peak) * plotHeight);
        y -= tall;
        paths[index] += `M${x} ${y.toFixed(1)}h${wide}v${tall.toFixed(1)}h-${wide}z`;
      });
    }
    return { totals, peak, paths };
  }, [buckets, hidden, bar]);
  const sums = useMemo(
    () =>
      severities.map((_, index) => {
        let sum = 0;
        for (let bucket = 0; bucket < count; bucket++) sum += counts[bucket * severities.length + index]!;
        return sum;
      }),
    [buckets],
  );

  const xOf = (time: number): number => left + ((time - from) / (end - from)) * inner;
  const bucketAt = (event: PointerEvent): number => {
    const x = event.clientX - plot.current!.getBoundingClientRect().left - left;
    return Math.max(0, Math.min(count - 1, Math.floor(x / bar)));
  };
  const zoom = (one: number, other: number): void =>
    onZoom(from + Math.min(one, other) * step, from + (Math.max(one, other) + 1) * step);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      event.preventDefault();
      event.stopPropagation();
      const at = hover ?? (event.key === 'ArrowLeft' ? count : -1);
      const next = Math.max(0, Math.min(count - 1, at + (event.key === 'ArrowLeft' ? -1 : 1)));
      setBrush(event.shiftKey ? [brush?.[0] ?? Math.max(0, Math.min(count - 1, at)), next] : null);
      setHover(next);
    } else if (event.key === 'Enter' && hover !== null) {
      event.preventDefault();
      zoom(brush?.[0] ?? hover, brush?.[1] ?? hover);
      setBrush(null);
    } else if (event.key === 'Escape' && hover !== null) {
      event.preventDefault();
      setBrush(null);
      setHover(null);
    }
  };
  const offset = zone === 'utc' ? 0 : -new Date(from).getTimezoneOffset() * MINUTE;
  const marks = ticks(from, end, inner, offset);
  const longWindow = end - from > 2 * DAY;
  const tickText = (time: number): string => {
    const p = parts(time, zone);
    return p.hour === 0 && p.minute === 0 && p.second === 0 && end - from > DAY / 2
      ? day(time, zone, false)
      : hourMinute(time, zone, step < MINUTE && end - from < 5 * MINUTE);
  };
  const stamp = (time: number): string =>
    `${longWindow ? day(time, zone, false) + ' ' : ''}${hourMinute(time, zone, step < MINUTE)}`;
  const total = sums.reduce((sum, each) => sum + each, 0);
  const serious = sums[severities.indexOf('error')]! + sums[severities.indexOf('critical')]!;
  const summary = `${number(total)} records from ${stamp(from)} to ${stamp(end)} ${zoneName(zone)}, ${
    number(serious)
  } of them errors.`;
  const begun = onsets.filter((each) => each.time >= from && each.time < end);
  const told = begun.map((each) => ` An incident began at ${stamp(each.time)}.`).join('');
  const shade = span && {
    x: Math.max(left, xOf(span.from)),
    width: Math.max(4, Math.min(width - right, xOf(span.to)) - Math.max(left, xOf(span.from))),
  };
  const tip = hover === null || hover >= count ? null : hover;

  return (
    <figure ref={box} className={dimmed ? 'hist dim' : 'hist'}>
      <figcaption className='hist-legend'>
        {legend.map((severity) => {
          const sum = sums[severities.indexOf(severity)]!;
          if (sum === 0 && !hidden.has(severity)) return null;
          return (
            <button
              key={severity}
              type='button'
              className={`lg lvl-${severity}`}
              aria-pressed={!hidden.has(severity)}
              title={`${hidden.has(severity) ? 'Show' : 'Hide'} ${severity} in the chart`}
              onClick={() => onToggle(severity)}
            >
              <i className='dot' /> {severity} <b>{compact(sum)}</b>
            </button>
          );
        })}
        <span className='sp' />
        <button type='button' className='lg quiet' aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Show as chart' : 'Show as table'}
        </button>
      </figcaption>
      {asTable ? <VolumeTable buckets={buckets} stamp={stamp} onZoom={zoom} /> : (
        <div className='hist-plot'>
          <svg
            ref={plot}
            width={width}
            height={plotHeight + top + bottom}
            role='application'
            tabIndex={0}
            aria-label={`${summary}${told} Arrow keys move, Shift extends, Enter zooms.`}
            onKeyDown={onKeyDown}
            onBlur={() => setHover(null)}
            onPointerMove={(event) => {
              const at = bucketAt(event);
              setHover(at);
              if (brush && event.buttons) setBrush([brush[0], at]);
            }}
            onPointerLeave={() => {
              if (!brush) setHover(null);
            }}
            onPointerDown={(event) => {
              if (event.button !== 0) return;
              plot.current!.setPointerCapture(event.pointerId);
              const at = bucketAt(event);
              setBrush([at, at]);
            }}
            onPointerUp={() => {
              if (brush) zoom(brush[0], brush[1]);
              setBrush(null);
            }}
            onPointerCancel={() => setBrush(null)}
          >
            {[0, 0.5, 1].map((part) => {
              const y = top + plotHeight - part * plotHeight;
              return (
                <g key={part}>
                  <line className='grid' x1={left} x2={width - right} y1={y + 0.5} y2={y + 0.5} />
                  <text className='tick' x={left - 8} y={y + 4} textAnchor='end'>{compact(part * drawn.peak)}</text>
                </g>
              );
            })}
            {shade && (
              <rect className='anomaly' x={shade.x} y={top - 14} width={shade.width} height={plotHeight + 14} rx={4} />
            )}
            {severities.map((severity, index) => (
              <path key={severity} className={`hb lvl-${severity}`} d={drawn.paths[index]} />
            ))}
            {hits.length > 0 && (
              <path
                className='hit-marks'
                d={hits.map((time) => `M${xOf(time).toFixed(1)} ${top - 10}v${plotHeight + 10}`).join('')}
              />
            )}
            {begun.map((each) => (
              <g key={`${each.time} ${each.title}`}>
                <path className='onset' d={`M${xOf(each.time).toFixed(1)} ${top - 12}v${plotHeight + 12}`} />
                <path className='onset-flag' d={`M${xOf(each.time).toFixed(1)} ${top - 14}h9l-2.5 4 2.5 4h-9z`}>
                  <title>{each.title}</title>
                </path>
              </g>
            ))}
            {tip !== null && !brush && (
              <rect className='hover' x={left + tip * bar - 0.75} y={top} width={bar} height={plotHeight} />
            )}
            {brush && (
              <rect
                className='brush'
                x={left + Math.min(...brush) * bar}
                y={top}
                width={(Math.abs(brush[0] - brush[1]) + 1) * bar}
                height={plotHeight}
              />
            )}
            {marks.map((time) => (
              <text key={time} className='tick' x={xOf(time)} y={plotHeight + top + 14} textAnchor='middle'>
                {tickText(time)}
              </text>
            ))}
            {mark !== null && mark >= from && mark < end && (
              <g className='sel-mark'>
                <line x1={xOf(mark)} x2={xOf(mark)} y1={top} y2={top + plotHeight} />
                <path d={`M${xOf(mark) - 4} ${top + plotHeight + 6}l4 -5l4 5z`} />
              </g>
            )}
          </svg>
          {shade && span && (
            <Link
              className='anomaly-label'
              href={`/analyses/${span.analysis}`}
              title={`${span.label}: open the analysis`}
              style={shade.x > width / 2 ? { right: width - shade.x - shade.width } : { left: shade.x }}
            >
              {span.label}
            </Link>
          )}
          {tip !== null && (
            <div className='tip' style={{ left: Math.min(width - 186, Math.max(0, left + (tip + 0.5) * bar + 14)) }}>
              <div className='tip-h'>
                <span>{stamp(from + tip * step)}</span>
                <span>{number(drawn.totals[tip]!)} records</span>
              </div>
              {legend.map((severity) => {
                const value = counts[tip * severities.length + severities.indexOf(severity)]!;
                if (value === 0) {
                  return null;
                }
                return (
                  <div key={severity} className={`tip-r lvl-${severity}`}>
                    <i className='dot' />
                    {severity}
                    <b>{number(value)}</b>
                  </div>
                );
              })}
              <div className='tip-f'>
                <Icon name='scan-search' size={12} /> click or drag to zoom
              </div>
            </div>
          )}
        </div>
      )}
    </figure>
  );
}

function VolumeTable({ buckets, stamp, onZoom }: {
  buckets: Buckets;
  stamp: (time: number) => string;
  onZoom: (one: number, other: number) => void;
}) {
  const shown = severities.map((severity, index) => ({ severity, index })).reverse().filter(({ index }) => {
    for (let bucket = 0; bucket < buckets.count; bucket++) {
      if (buckets.counts[bucket * severities.length + index]! > 0) return true;
    }
    return false;
  });
  return (
    <div className='hist-table' tabIndex={0} role='region' aria-label='Records over time'>
      <table>
        <thead>
          <tr>
            <th scope='col'>From</th>
            {shown.map(({ severity }) => <th key={severity} scope='col'>{severity}</th>)}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: buckets.count }, (_, bucket) => (
            <tr key={bucket}>
              <th scope='row'>
                <button type='button' onClick={() => onZoom(bucket, bucket)}>
                  {stamp(buckets.from + bucket * buckets.step)}
                </button>
              </th>
              {shown.map(({ severity, index }) => (
                <td key={severity}>{number(buckets.counts[bucket * severities.length + index]!)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
