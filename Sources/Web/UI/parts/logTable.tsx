import {
  forwardRef,
  memo,
  type ReactNode,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { number, plural } from '../model/numbers.ts';
import { fieldTitle, type LogRecord, oneLine, shown } from '../model/records.ts';
import { plainText, segments } from '../model/segments.ts';
import { clock, day, sameDay, type Zone, zoneName } from '../model/time.ts';
import { lineCount, prefixSums, rowAt } from '../model/window.ts';
import { LevelMark } from './levelMark.tsx';
import { Message } from './message.tsx';

// Browsers cap an element near 17 million pixels; a list that long has stopped being read.
const headHeight = 28;
const overscan = 8;

interface RowProps {
  record: LogRecord;
  position: number;
  top: number;
  height: number;
  selected: boolean;
  /** 1 and 2 take turns, so that the flash of one batch does not outlast the next. */
  fresh: 0 | 1 | 2;
  wrap: boolean;
  zone: Zone;
  dated: boolean;
  columns: readonly string[];
  needles: readonly string[];
  lead: ((record: LogRecord) => ReactNode) | undefined;
}

const Row = memo(function Row(props: RowProps) {
  const { record, wrap } = props;
  const message = shown(record.message);
  return (
    <div
      id={`row-${props.position}`}
      className={`row lvl-${record.severity}${props.fresh ? ` fresh-${props.fresh}` : ''}`}
      role='row'
      aria-rowindex={props.position + 2}
      aria-selected={props.selected}
      data-position={props.position}
      style={{ transform: `translateY(${props.top}px)`, height: props.height }}
    >
      <span role='gridcell' className='c-time' title={record.fields['_time']}>
        {props.dated && <span className='c-day'>{`${day(record.time, props.zone, false)} `}</span>}
        {clock(record.time, props.zone)}
      </span>
      <span role='gridcell' className='c-lvl'>
        <LevelMark severity={record.severity} />
      </span>
      {props.lead && <span role='gridcell' className='c-lead'>{props.lead(record)}</span>}
      {props.columns.map((name) => (
        <span key={name} role='gridcell' className='c-col' title={record.fields[name]}>
          {plainText(record.fields[name] ?? '')}
        </span>
      ))}
      <span role='gridcell' className='c-msg'>
        <Message segments={segments(wrap ? message : oneLine(message), props.needles)} />
      </span>
    </div>
  );
});

export interface LogTableHandle {
  reveal: (position: number, center?: boolean) => void;
  focus: () => void;
  toTop: () => void;
}

/** A windowed list of records: one tab stop, recycled rows, arithmetic heights. */
export const LogTable = forwardRef<LogTableHandle, {
  records: readonly LogRecord[];
  selected: number | null;
  wrap: boolean;
  zone: Zone;
  columns: readonly string[];
  needles: readonly string[];
  rowHeight: number;
  dimmed: boolean;
  /** So many rows at the top arrived with this batch and flash once. */
  fresh?: { count: number; batch: number };
  lead?: (record: LogRecord) => ReactNode;
  leadTitle?: string;
  /** Below the last row. */
  foot?: ReactNode;
  /** Identifies the list: another one starts at its top. */
  listKey: string;
  onSelect: (position: number) => void;
  onMove: (delta: number) => void;
  onOpen?: () => void;
  onEnd?: () => void;
  onScrolled?: (top: number) => void;
}>(function LogTable(props, handle) {
  const { records, wrap, rowHeight, zone, columns } = props;
  const box = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLSpanElement>(null);
  const sizer = useRef<HTMLSpanElement>(null);
  const [view, setView] = useState({ top: 0, height: 600, messageWidth: 600 });
  const [characterWidth, setCharacterWidth] = useState(7.2);
  useLayoutEffect(() => {
    const element = box.current!;
    const measure = (): void => {
      const messageWidth = sizer.current!.clientWidth;
      setView((old) => ({ ...old, height: element.clientHeight, messageWidth }));
      setCharacterWidth(probe.current!.getBoundingClientRect().width / 50 || 7.2);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    observer.observe(sizer.current!);
    observer.observe(probe.current!);
    return () => observer.disconnect();
  }, []);

  const tops = useMemo(() => {
    if (!wrap) return null;
    const perLine = Math.max(20, Math.floor(view.messageWidth / characterWidth));
    const line = Math.min(19, rowHeight - 5);
    return prefixSums(
      (index) => lineCount(plainText(shown(records[index]!.message)), perLine) * line + (rowHeight - line),
      records.length,
    );
  }, [wrap, records, view.messageWidth, characterWidth, rowHeight]);
  const topOf = (position: number): number => tops ? tops[position]! : position * rowHeight;
  const at = (y: number): number => tops ? rowAt(tops, y) : Math.floor(y / rowHeight);
  const first = Math.max(0, Math.min(records.length, at(view.top)) - overscan);
  const last = Math.min(records.length, at(view.top + view.height) + overscan + 2);

  useImperativeHandle(handle, () => ({
    reveal(position, center) {
      const element = box.current!;
      const start = topOf(position);
      const end = topOf(Math.min(records.length, position + 1));
      if (center) {
        element.scrollTop = Math.max(0, Math.round((start - element.clientHeight / 3) / rowHeight) * rowHeight);
      } else if (start < element.scrollTop) element.scrollTop = start;
      else if (end + headHeight > element.scrollTop + element.clientHeight) {
        element.scrollTop = end + headHeight - element.clientHeight + rowHeight;
      }
    },
    focus: () => box.current!.focus(),
    toTop: () => {
      box.current!.scrollTop = 0;
    },
  }));
  useEffect(() => {
    box.current!.scrollTop = 0;
  }, [props.listKey]);
  useEffect(() => {
    if (last >= records.length - 40) props.onEnd?.();
  }, [last, records.length]);

  const dated = records.length > 1 && !sameDay(records[0]!.time, records[records.length - 1]!.time, zone);
  const pool = Math.ceil(view.height / rowHeight) + 2 * overscan + 4;
  const rows = [];
  for (let position = first; position < last; position++) {
    const record = records[position]!;
    rows.push(
      <Row
        key={position % pool}
        record={record}
        position={position}
        top={topOf(position)}
        height={topOf(position + 1) - topOf(position)}
        selected={props.selected === position}
        fresh={props.fresh && position < props.fresh.count ? (props.fresh.batch % 2 ? 1 : 2) : 0}
        wrap={wrap}
        zone={zone}
        dated={dated}
        columns={columns}
        needles={props.needles}
        lead={props.lead}
      />,
    );
  }
  const page = Math.max(1, Math.floor(view.height / rowHeight) - 3);
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -records.length,
    End: records.length,
  };
  const seen = props.selected !== null && props.selected >= first && props.selected < last;
  return (
    <div
      ref={box}
      className={`list${wrap ? ' wrap' : ''}${dated ? ' dated' : ''}${props.dimmed ? ' dim' : ''}`}
      role='grid'
      tabIndex={0}
      aria-label={`Log records, ${plural(records.length, 'row')}, newest first`}
      aria-rowcount={records.length + 1}
      aria-activedescendant={seen ? `row-${props.selected}` : undefined}
      onKeyDown={(event) => {
        const step = event.shiftKey || event.ctrlKey || event.metaKey ? undefined : steps[event.key];
        if (step !== undefined) {
          event.preventDefault();
          props.onMove(step);
        } else if (event.key === 'Enter') {
          event.preventDefault();
          props.onOpen?.();
        }
      }}
      onScroll={(event) => {
        const { scrollTop } = event.currentTarget;
        setView((old) => ({ ...old, top: scrollTop }));
        props.onScrolled?.(scrollTop);
      }}
      onClick={(event) => {
        const row = (event.target as HTMLElement).closest<HTMLElement>('.row');
        // Selecting text is not choosing a record.
        if (row && !String(getSelection())) props.onSelect(Number(row.dataset['position']));
      }}
    >
      <div className='list-head' role='row' aria-rowindex={1}>
        <span role='columnheader' aria-sort='descending' className='c-time'>
          Time <small title={zoneName(zone)}>{zone === 'utc' ? 'UTC' : 'local'}</small>
        </span>
        <span role='columnheader' className='c-lvl'>Level</span>
        {props.lead && <span role='columnheader' className='c-lead'>{props.leadTitle}</span>}
        {columns.map((name) => (
          <span key={name} role='columnheader' className='c-col' title={name}>{fieldTitle(name)}</span>
        ))}
        <span role='columnheader' className='c-msg' ref={sizer}>Message</span>
      </div>
      <div className='list-space' role='rowgroup' style={{ height: topOf(records.length) }}>{rows}</div>
      {props.foot && (
        <div className='list-foot' role='row'>
          <span role='gridcell'>{props.foot}</span>
        </div>
      )}
      <span ref={probe} className='probe' aria-hidden='true'>{'0'.repeat(50)}</span>
    </div>
  );
});

export const positionText = (position: number, count: number): string => `${number(position + 1)} of ${number(count)}`;
