// Time as people write and read it. Instants are milliseconds since 1970; nanoseconds stay in the record's own text.

export type Zone = 'local' | 'utc';

export interface Range {
  /** `now-1h`, `now`, or an RFC 3339 instant: what the address holds. */
  from: string;
  to: string;
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const units: Record<string, number> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY };

export const presets: { label: string; from: string }[] = [
  { label: 'Last 5 minutes', from: 'now-5m' },
  { label: 'Last 15 minutes', from: 'now-15m' },
  { label: 'Last 30 minutes', from: 'now-30m' },
  { label: 'Last 1 hour', from: 'now-1h' },
  { label: 'Last 3 hours', from: 'now-3h' },
  { label: 'Last 6 hours', from: 'now-6h' },
  { label: 'Last 12 hours', from: 'now-12h' },
  { label: 'Last 24 hours', from: 'now-24h' },
  { label: 'Last 2 days', from: 'now-2d' },
  { label: 'Last 7 days', from: 'now-7d' },
  { label: 'Last 30 days', from: 'now-30d' },
];

/** The instant an address's time means at `now`, or null when it means nothing. */
export function resolve(text: string, now: number): number | null {
  const relative = /^now(?:-(\d+)([smhdw]))?$/.exec(text);
  if (relative) return relative[1] ? now - Number(relative[1]) * units[relative[2]!]! : now;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? null : instant;
}

export const isRelative = (range: Range): boolean => range.from.startsWith('now') && range.to === 'now';

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
  weekday: number;
}

export function parts(time: number, zone: Zone): Parts {
  const date = new Date(time);
  return zone === 'utc'
    ? {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      millisecond: date.getUTCMilliseconds(),
      weekday: date.getUTCDay(),
    }
    : {
      year: date.getFullYear(),
      month: date.getMonth() + 1,
      day: date.getDate(),
      hour: date.getHours(),
      minute: date.getMinutes(),
      second: date.getSeconds(),
      millisecond: date.getMilliseconds(),
      weekday: date.getDay(),
    };
}

function instant(year: number, month: number, day: number, hour: number, minute: number, second: number, zone: Zone) {
  return zone === 'utc'
    ? Date.UTC(year, month - 1, day, hour, minute, second)
    : new Date(year, month - 1, day, hour, minute, second).getTime();
}

/** 13:44:27.575 */
export function clock(time: number, zone: Zone): string {
  const p = parts(time, zone);
  return `${pad(p.hour)}:${pad(p.minute)}:${pad(p.second)}.${pad(p.millisecond, 3)}`;
}

/** 13:44, or 13:44:27 when seconds matter. */
export function hourMinute(time: number, zone: Zone, seconds = false): string {
  const p = parts(time, zone);
  return `${pad(p.hour)}:${pad(p.minute)}${seconds ? ':' + pad(p.second) : ''}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 18 Mar 2026 */
export function day(time: number, zone: Zone, year = true): string {
  const p = parts(time, zone);
  return `${p.day} ${months[p.month - 1]}${year ? ' ' + p.year : ''}`;
}

export const sameDay = (left: number, right: number, zone: Zone): boolean => day(left, zone) === day(right, zone);

/** 18 Mar 13:44, without the day when it is `today`'s. */
export function moment(time: number, zone: Zone, today: number, seconds = false): string {
  const at = hourMinute(time, zone, seconds);
  return sameDay(time, today, zone)
    ? at
    : `${day(time, zone, parts(time, zone).year !== parts(today, zone).year)} ${at}`;
}

/** 84 s, 12 min, 3 h, 5 d: one unit, rounded down. */
export function span(milliseconds: number): string {
  const value = Math.max(0, milliseconds);
  if (value < SECOND) return `${Math.round(value)} ms`;
  if (value < 100 * SECOND) return `${Math.floor(value / SECOND)} s`;
  if (value < 100 * MINUTE) return `${Math.floor(value / MINUTE)} min`;
  if (value < 48 * HOUR) return `${Math.floor(value / HOUR)} h`;
  return `${Math.floor(value / DAY)} d`;
}

export function ago(time: number, now: number): string {
  return now - time < 5 * SECOND ? 'just now' : `${span(now - time)} ago`;
}

export const zoneName = (zone: Zone): string =>
  zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll('_', ' ') || 'local';

/** What the button says: a preset's name, or the two ends. */
export function describe(range: Range, start: number, end: number, zone: Zone, now: number): string {
  if (range.to === 'now') {
    const preset = presets.find((each) => each.from === range.from);
    if (preset) return preset.label;
    if (range.from.startsWith('now-')) return `Last ${range.from.slice(4)}`;
  }
  const seconds = end - start < 10 * MINUTE;
  const left = moment(start, zone, now, seconds);
  const right = sameDay(start, end, zone) ? hourMinute(end, zone, seconds) : moment(end, zone, now, seconds);
  return `${left} – ${right}`;
}

const iso = (time: number): string => new Date(time).toISOString();

/** A typed time: `2h`, `last 90 min`, `yesterday`, `yesterday 9-11`, `13:00-14:30`, a date, a pasted timestamp. */
export function parseTime(text: string, now: number, zone: Zone): Range | null {
  const typed = text.trim().toLowerCase().replaceAll('–', '-');
  if (!typed) return null;

  const length =
    /^(?:last\s+|now-|-)?(\d+(?:\.\d+)?)\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$/
      .exec(typed);
  if (length) {
    const unit = length[2]![0]!;
    const amount = Number(length[1]);
    if (Number.isInteger(amount) && amount > 0) return { from: `now-${amount}${unit}`, to: 'now' };
    if (amount > 0) return { from: `now-${Math.round((amount * units[unit]!) / SECOND)}s`, to: 'now' };
    return null;
  }

  const bare = /^\d{10}(?:\d{3}){0,3}$/.exec(typed);
  if (bare) return around(Number(typed.slice(0, 10)) * SECOND);

  const between = /^(.+?)\s+(?:to|-|until)\s+(.+)$/.exec(typed);
  if (between) {
    const start = point(between[1]!, now, zone);
    const end = point(between[2]!, start ?? now, zone) ?? (between[2] === 'now' ? now : null);
    if (start !== null && end !== null && start < end) {
      return { from: iso(start), to: between[2] === 'now' ? 'now' : iso(end) };
    }
  }

  const dated = /^(today|yesterday|\d{4}-\d{2}-\d{2})?\s*(?:(\d{1,2}(?::\d{2}){0,2})\s*-\s*(\d{1,2}(?::\d{2}){0,2}))?$/
    .exec(typed);
  if (dated && (dated[1] || dated[2])) {
    const midnight = startOfDay(dated[1] ?? 'today', now, zone);
    if (midnight === null) return null;
    if (!dated[2]) {
      if ((dated[1] ?? 'today') === 'today') return { from: iso(midnight), to: 'now' };
      return { from: iso(midnight), to: iso(nextDay(midnight, zone)) };
    }
    const start = ofDay(dated[2], midnight, zone);
    const end = ofDay(dated[3]!, midnight, zone);
    if (start === null || end === null || start >= end) return null;
    return { from: iso(start), to: iso(end) };
  }

  const single = point(typed, now, zone);
  return single === null ? null : around(single);
}

function around(time: number): Range {
  return { from: iso(time - 5 * MINUTE), to: iso(time + 5 * MINUTE) };
}

function startOfDay(text: string, now: number, zone: Zone): number | null {
  if (text === 'today' || text === 'yesterday') {
    const p = parts(text === 'today' ? now : now - DAY, zone);
    return instant(p.year, p.month, p.day, 0, 0, 0, zone);
  }
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!found) return null;
  const [year, month, date] = [Number(found[1]), Number(found[2]), Number(found[3])];
  if (month < 1 || month > 12 || date < 1 || date > 31) return null;
  return instant(year, month, date, 0, 0, 0, zone);
}

function nextDay(midnight: number, zone: Zone): number {
  const p = parts(midnight, zone);
  return instant(p.year, p.month, p.day + 1, 0, 0, 0, zone);
}

function ofDay(text: string, midnight: number, zone: Zone): number | null {
  const [hour = 0, minute = 0, second = 0] = text.split(':').map(Number);
  if (hour > 24 || minute > 59 || second > 59) return null;
  const p = parts(midnight, zone);
  return instant(p.year, p.month, p.day, hour, minute, second, zone);
}

/** One instant: `13:44`, `yesterday 9:30`, `2026-03-18 13:44:27`, RFC 3339. */
function point(text: string, now: number, zone: Zone): number | null {
  const dated = /^(?:(today|yesterday|\d{4}-\d{2}-\d{2})[ t]?)?(\d{1,2}:\d{2}(?::\d{2})?)?(?:[.,]\d+)?$/.exec(text);
  if (dated && (dated[1] || dated[2])) {
    const midnight = startOfDay(dated[1] ?? 'today', now, zone);
    return midnight === null ? null : dated[2] ? ofDay(dated[2], midnight, zone) : midnight;
  }
  if (/^\d{4}-\d{2}-\d{2}[ t]\d{2}:\d{2}.*(z|[+-]\d{2}:?\d{2})$/.test(text)) {
    const parsed = Date.parse(text.replace(' ', 'T').toUpperCase());
    return Number.isNaN(parsed) ? null : parsed;
  }
  return null;
}

/** What a `datetime-local` field shows, and back. */
export function toField(time: number, zone: Zone): string {
  const p = parts(time, zone);
  return `${pad(p.year, 4)}-${pad(p.month)}-${pad(p.day)}T${pad(p.hour)}:${pad(p.minute)}:${pad(p.second)}`;
}

export function fromField(text: string, zone: Zone): number | null {
  const parsed = Date.parse(zone === 'utc' ? text + 'Z' : text);
  return Number.isNaN(parsed) ? null : parsed;
}

/** Twice the range around its middle, never past now by more than it was. */
export function widened(start: number, end: number, now: number): Range {
  const half = end - start;
  const middle = (start + end) / 2;
  const right = Math.min(middle + half, Math.max(now, end));
  return { from: iso(right - 2 * half), to: iso(right) };
}

export function shifted(start: number, end: number, direction: -1 | 1): Range {
  const step = ((end - start) / 2) * direction;
  return { from: iso(start + step), to: iso(end + step) };
}

export const absolute = (start: number, end: number): Range => ({ from: iso(start), to: iso(end) });
