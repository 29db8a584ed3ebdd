import {
  changed,
  clauseOf,
  completingAt,
  fieldFilter,
  filterOf,
  hasPipes,
  joinQuery,
  needlesOf,
  offsetOfColumn,
  quote,
  splitQuery,
  unquote,
  withoutField,
} from './query.ts';
import { expect } from './testing.ts';

const pills = (query: string): [string[], string] => {
  const { clauses, text } = splitQuery(query);
  return [clauses.map((each) => each.text), text];
};

Deno.test('filters on single fields become pills, words stay text', () => {
  expect(pills('error env:=production "upstream timeout"'), [['env:=production'], 'error "upstream timeout"']);
  expect(pills('a:=1 b:in(x, "y z") -c:="q"'), [['a:=1', 'b:in(x, "y z")', '-c:="q"'], '']);
  expect(pills('{kubernetes.pod_name="api-0"} failed'), [['{kubernetes.pod_name="api-0"}'], 'failed']);
});

Deno.test('what a bar cannot show as pills stays as written', () => {
  for (const query of ['a:=1 or b:=2', 'not a:=1', 'a:"unfinished', '(a:=1 b:=2', 'level:~"x|y" or z']) {
    expect(pills(query), [[], query], query);
  }
});

Deno.test('pipes stay behind the filters', () => {
  const query = 'env:=production error | stats by (service) count()';
  expect(pills(query), [['env:=production'], 'error | stats by (service) count()']);
  expect(hasPipes(query), true);
  expect(filterOf(query), 'env:=production error');
  expect(hasPipes('"a | b"'), false);
  expect(changed('error | limit 5', 'env', 'qa', 'include'), 'env:=qa error | limit 5');
});

Deno.test('a split query joins to the same query', () => {
  for (const query of ['a:=1 error', 'a:=1', 'error', '{x="y"} a:in(b, c) words "and more" | sort by (a)', '']) {
    const { clauses, text } = splitQuery(query);
    expect(joinQuery(clauses, text), query);
  }
});

Deno.test('a filter beside alternatives binds to all of them', () => {
  expect(changed('a or b', 'env', 'qa', 'include'), 'env:=qa (a or b)');
  expect(changed('a or b | limit 5', 'env', 'qa', 'include'), 'env:=qa (a or b) | limit 5');
});

Deno.test('including, excluding, only and clearing values of a field', () => {
  expect(changed('', 'severity', 'error', 'include'), 'severity:=error');
  expect(changed('severity:=error x', 'severity', 'critical', 'include'), 'severity:in(error, critical) x');
  expect(changed('severity:in(error, critical)', 'severity', 'error', 'clear'), 'severity:=critical');
  expect(changed('severity:=error', 'severity', 'error', 'exclude'), '-severity:=error');
  expect(changed('a:=1 severity:in(error, info) b:=2', 'severity', 'debug', 'only'), 'a:=1 severity:=debug b:=2');
  expect(changed('severity:=error', 'severity', 'error', 'clear'), '');
  expect(withoutField('a:=1 b:=2 -a:=3 c', 'a'), 'b:=2 c');
  const filter = fieldFilter('a:in(x, y) -a:=z', 'a');
  expect([[...filter.included], [...filter.excluded]], [['x', 'y'], ['z']]);
});

Deno.test('values survive quoting, whatever they hold', () => {
  const values = [
    '',
    'plain',
    'two words',
    'say "hi"',
    'back\\slash',
    'line\nbreak',
    '10.0.0.1',
    'and',
    '\u0000',
    'ü',
    '-5',
    'a|b',
  ];
  for (const value of values) {
    expect(unquote(quote(value)), value);
    const query = changed('', 'my field', value, 'include');
    expect([...fieldFilter(query, 'my field').included], [value], query);
  }
});

Deno.test('a time filter and an address are no pills', () => {
  expect(clauseOf('_time:5m'), null);
  expect(clauseOf('http://example.com/x'), null);
});

Deno.test('needles are the words that must be there', () => {
  expect(needlesOf('upstream "timed out" -never env:=production i(Pool) conn*'), [
    'upstream',
    'timed out',
    'Pool',
    'conn',
  ]);
  expect(needlesOf('_msg:refused *'), ['refused']);
});

Deno.test('completion knows names from values', () => {
  expect(completingAt('serv', 4), { start: 0, end: 4, field: null, typed: 'serv', lead: '' });
  expect(completingAt('x service:pa', 12), { start: 2, end: 12, field: 'service', typed: 'pa', lead: '' });
  expect(completingAt('-env:="pro', 10), { start: 0, end: 10, field: 'env', typed: 'pro', lead: '-' });
  expect(completingAt('done ', 5).typed, '');
});

Deno.test('a column in scalars is an offset in UTF-16', () => {
  expect(offsetOfColumn('abc', 2), 1);
  expect(offsetOfColumn('😀x', 2), 2);
  expect(offsetOfColumn('abc', 99), 3);
});
