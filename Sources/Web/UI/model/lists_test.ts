import { bucketsOf, ceiling, stepFor, stepText } from './buckets.ts';
import { compact, share } from './numbers.ts';
import { toCSV } from './records.ts';
import { plainText, segments, slots } from './segments.ts';
import { severities } from './severity.ts';
import { expect } from './testing.ts';
import { lineCount, prefixSums, rowAt } from './window.ts';

Deno.test('hits fall into their buckets', () => {
  const start = Date.UTC(2026, 0, 1, 0, 0, 30);
  const buckets = bucketsOf(
    [{
      fields: { severity: 'error' },
      timestamps: ['2026-01-01T00:00:00Z', '2026-01-01T00:02:00Z'],
      values: [3, 4],
      total: 7,
    }],
    start,
    start + 180_000,
    60_000,
  );
  const error = severities.indexOf('error');
  expect(buckets.count, 4);
  expect([0, 1, 2, 3].map((each) => buckets.counts[each * severities.length + error]), [3, 0, 4, 0]);
});

Deno.test('steps are round and leave bars of some width', () => {
  const hour = 3_600_000;
  expect(stepText(stepFor(0, hour, 960)), '30s');
  expect(stepText(stepFor(0, 24 * hour, 960)), '15m');
  expect(stepText(stepFor(0, 7 * 24 * hour, 960)), '2h');
  expect(ceiling(1430), 1500);
  expect(ceiling(0), 2);
});

Deno.test('a wrapped line is as tall as its length says', () => {
  expect(lineCount('', 80), 1);
  expect(lineCount('x'.repeat(80), 80), 1);
  expect(lineCount('x'.repeat(81), 80), 2);
  expect(lineCount('a\n' + 'x'.repeat(161), 80), 4);
  const tops = prefixSums((index) => (index + 1) * 10, 4);
  expect([...tops], [0, 10, 30, 60, 100]);
  expect([0, 9, 10, 29, 30, 99, 500].map((y) => rowAt(tops, y)), [0, 0, 1, 1, 2, 3, 4]);
});

Deno.test('keys recede, values stand out, hits are marked', () => {
  expect(segments('done user=ann took="3 s"', ['DONE']).map((each) => [each.kind, each.text]), [
    ['hit', 'done'],
    ['text', ' '],
    ['key', 'user='],
    ['value', 'ann'],
    ['text', ' '],
    ['key', 'took='],
    ['value', '"3 s"'],
  ]);
});

Deno.test('hostile text is only text', () => {
  const text = '\u001b[31mred\u001b[0m \u202egnirts nul\u0000';
  expect(plainText(text), 'red \\u202egnirts nul\\x00');
  expect(segments(text).map((each) => each.text).join(''), 'red \\u202egnirts nul\\x00');
  expect(segments(text)[0], { text: 'red', kind: 'text', ansi: 'red' });
});

Deno.test('no text is lost between segments', () => {
  for (const text of ['a=b', '=', 'k="unfinished', 'x '.repeat(50), '<img src=x onerror=alert(1)>', 'ß=ẞ İ=i']) {
    expect(segments(text, ['x', 'i']).map((each) => each.text).join(''), text);
  }
});

Deno.test('slots of a pattern stand apart', () => {
  expect(slots('GET <path> took <duration> <b>').filter((each) => each.kind === 'slot').map((each) => each.text), [
    'path',
    'duration',
  ]);
});

Deno.test('a table for spreadsheets runs nothing', () => {
  expect(toCSV([{ a: '=1+1', b: 'x,"y"' }, { a: '-5', c: 'z' }]), 'a,b,c\r\n\'=1+1,"x,""y""",\r\n-5,,z\r\n');
});

Deno.test('figures are short', () => {
  expect([0, 950, 9500, 58_600, 999_600, 1_240_000, 2.5].map(compact), [
    '0',
    '950',
    '9.5k',
    '59k',
    '1.0M',
    '1.2M',
    '2.5',
  ]);
  expect([share(0.213), share(0.0432), share(0.0001)], ['21 %', '4.3 %', '<0.1 %']);
});
