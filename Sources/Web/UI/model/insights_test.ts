import type { Analysis, Pattern } from '../api.ts';
import { insights, newSince, unusual } from './insights.ts';
import { expect } from './testing.ts';

const start = Date.UTC(2026, 2, 18, 13, 0, 0);
const at = (minute: number): string => new Date(start + minute * 60_000).toISOString();

function pattern(id: number, change: Partial<Pattern>): Pattern {
  return {
    id,
    text: `pattern <number> of ${id}`,
    level: 'info',
    count: 100,
    share: 0.1,
    first_seen: at(-600),
    last_seen: at(59),
    counts: [],
    previous_count: 100,
    sample: '',
    streams: 1,
    ...change,
  };
}

Deno.test('new, bursting and quiet patterns stand out, the serious first', () => {
  const found = insights([
    pattern(1, {}),
    pattern(2, { level: 'error', previous_count: 0, first_seen: at(38), count: 40 }),
    pattern(3, { level: 'warning', previous_count: 10, count: 380 }),
    pattern(4, { previous_count: 200, count: 10 }),
  ], start);
  expect(found.map((each) => [each.pattern.id, each.title]), [[2, 'New'], [3, '38×'], [4, 'Quiet']]);
});

Deno.test('steady patterns and small changes are no news', () => {
  expect(
    insights([pattern(1, { count: 150 }), pattern(2, { count: 30, previous_count: 5, level: 'debug' })], start).length,
    1,
  );
  expect(insights([pattern(1, {}), pattern(2, { count: 4, previous_count: 0, first_seen: at(2) })], start), []);
});

Deno.test('where nothing came before, only what came late is new', () => {
  const list = [
    pattern(1, { previous_count: 0, first_seen: at(0) }),
    pattern(2, { previous_count: 0, first_seen: at(3) }),
    pattern(3, { previous_count: 0, first_seen: at(40), level: 'error' }),
  ];
  expect(insights(list, start).map((each) => each.pattern.id), [3]);
  expect(newSince([pattern(1, {})], start), start);
});

Deno.test('an analysis shades the most serious new group', () => {
  const cluster = (score: number, change: string, from: number, to: number) => ({
    label: `failed after <duration> ${score}`,
    severity_score: score,
    change,
    first_seen: at(from),
    last_seen: at(to),
  });
  const analysis = {
    id: 'a',
    status: 'completed',
    start: at(0),
    end: at(60),
    clusters: [cluster(9, 'steady', 0, 60), cluster(8, 'new', 38, 45), cluster(5, 'burst', 10, 20)],
  } as unknown as Analysis;
  const found = unusual([analysis], start, start + 3_600_000)!;
  expect([found.label, new Date(found.from).toISOString()], ['New: failed after … 8', at(38)]);
  expect(unusual([analysis], start + 7_200_000, start + 9_000_000), null);
});
