import { expect } from './testing.ts';
import { clock, describe, parseTime, resolve, shifted, span, widened } from './time.ts';

const now = Date.UTC(2026, 2, 18, 14, 0, 0);
const range = (text: string): [string, string] | null => {
  const found = parseTime(text, now, 'utc');
  return found && [found.from, found.to];
};

Deno.test('lengths are relative', () => {
  expect(range('2h'), ['now-2h', 'now']);
  expect(range('last 90 min'), ['now-90m', 'now']);
  expect(range('1.5 hours'), ['now-5400s', 'now']);
  expect(range('7d'), ['now-7d', 'now']);
});

Deno.test('days and times of day', () => {
  expect(range('today'), ['2026-03-18T00:00:00.000Z', 'now']);
  expect(range('yesterday'), ['2026-03-17T00:00:00.000Z', '2026-03-18T00:00:00.000Z']);
  expect(range('yesterday 9-11'), ['2026-03-17T09:00:00.000Z', '2026-03-17T11:00:00.000Z']);
  expect(range('13:00-14:30'), ['2026-03-18T13:00:00.000Z', '2026-03-18T14:30:00.000Z']);
  expect(range('2026-03-01'), ['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z']);
  expect(range('2026-03-01 10:00 to 2026-03-02 11:30'), ['2026-03-01T10:00:00.000Z', '2026-03-02T11:30:00.000Z']);
});

Deno.test('a pasted instant opens the minutes around it', () => {
  expect(range('2026-03-18T13:44:27.575Z'), ['2026-03-18T13:39:27.575Z', '2026-03-18T13:49:27.575Z']);
  expect(range('1773841467'), ['2026-03-18T13:39:27.000Z', '2026-03-18T13:49:27.000Z']);
  expect(range('1773841467575'), ['2026-03-18T13:39:27.000Z', '2026-03-18T13:49:27.000Z']);
});

Deno.test('what is no time says so', () => {
  for (const text of ['', 'soon', '25:99', '14-13', '0h', '2026-13-40', 'h']) expect(range(text), null, text);
});

Deno.test('addresses resolve', () => {
  expect(resolve('now-1h', now), now - 3_600_000);
  expect(resolve('now', now), now);
  expect(resolve('nonsense', now), null);
});

Deno.test('zooming out doubles and does not pass now', () => {
  const wider = widened(now - 3_600_000, now, now);
  expect([wider.from, wider.to], ['2026-03-18T12:00:00.000Z', '2026-03-18T14:00:00.000Z']);
  expect(shifted(now - 3_600_000, now, -1).to, '2026-03-18T13:30:00.000Z');
});

Deno.test('times read well', () => {
  expect(clock(now + 7, 'utc'), '14:00:00.007');
  expect(span(84_000), '84 s');
  expect(span(3 * 3_600_000), '3 h');
  expect(describe({ from: 'now-1h', to: 'now' }, now - 3_600_000, now, 'utc', now), 'Last 1 hour');
  expect(describe({ from: 'now-45m', to: 'now' }, now, now, 'utc', now), 'Last 45m');
  expect(describe({ from: 'x', to: 'y' }, now - 3_600_000, now, 'utc', now), '13:00 – 14:00');
});
