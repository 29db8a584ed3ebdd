import { severities, severityIndex } from './severity.ts';
import { DAY, HOUR, MINUTE, SECOND } from './time.ts';

/** Records counted by time and severity: `counts[bucket * severities.length + severity]`. */
export interface Buckets {
  from: number;
  step: number;
  count: number;
  counts: Float64Array;
}

export interface HitSeries {
  fields: Record<string, string>;
  timestamps: string[];
  values: number[];
  total: number;
}

const steps = [
  ...[1, 2, 5, 10, 15, 30].map((each) => each * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((each) => each * MINUTE),
  ...[1, 2, 3, 6, 12].map((each) => each * HOUR),
  ...[1, 2, 7, 14, 30].map((each) => each * DAY),
];

/** The finest step that still leaves a bar about `barWidth` pixels. */
export function stepFor(start: number, end: number, width: number, barWidth = 7.5): number {
  const bars = Math.max(24, Math.floor(width / barWidth));
  return steps.find((step) => (end - start) / step <= bars) ?? Math.ceil((end - start) / bars / DAY) * DAY;
}

/** As the API wants it: 30s, 5m, 2h. */
export function stepText(step: number): string {
  if (step % HOUR === 0) return `${step / HOUR}h`;
  if (step % MINUTE === 0) return `${step / MINUTE}m`;
  return `${step / SECOND}s`;
}

export function bucketsOf(series: HitSeries[], start: number, end: number, step: number): Buckets {
  const from = Math.floor(start / step) * step;
  const count = Math.max(1, Math.ceil((end - from) / step));
  const width = severities.length;
  const counts = new Float64Array(count * width);
  for (const each of series) {
    const severity = severityIndex(each.fields['severity']);
    each.timestamps.forEach((text, index) => {
      const bucket = Math.floor((Date.parse(text) - from) / step);
      if (bucket >= 0 && bucket < count) counts[bucket * width + severity]! += each.values[index] ?? 0;
    });
  }
  return { from, step, count, counts };
}

/** The smallest round figure at or above the largest bar. */
export function ceiling(value: number): number {
  const raw = Math.max(2, value);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((each) => each * magnitude).find((each) => each >= raw) ?? raw;
}

/** Where the time axis is labeled: round instants, about 110 pixels apart. */
export function ticks(start: number, end: number, width: number, offset: number): number[] {
  const candidates = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]
    .map((each) => each * SECOND);
  const step = candidates.find((each) => (end - start) / each <= width / 110) ??
    Math.ceil((end - start) / (width / 110) / DAY) * DAY;
  const found: number[] = [];
  for (let time = Math.ceil((start + offset) / step) * step - offset; time < end; time += step) found.push(time);
  return found;
}
