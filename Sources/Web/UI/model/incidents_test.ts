import type { Anomaly, Incident } from '../api.ts';
import { around, byUrgency, lengthText, rate, remarksOf, standing, whenText } from './incidents.ts';
import { expect } from './testing.ts';

const start = Date.UTC(2026, 2, 18, 13, 0, 0);
const at = (minute: number): string => new Date(start + minute * 60_000).toISOString();

function anomaly(id: string, change: Partial<Anomaly> = {}): Anomaly {
  return {
    id,
    kind: 'spike',
    phase: 'ongoing',
    pattern: 7,
    pattern_text: 'connection refused after <number> attempts',
    workload: 'payments',
    summary: '',
    severity: 'high',
    severity_score: 6,
    reasons: [],
    onset: at(20),
    last: at(40),
    observed: 30,
    expected: 1.5,
    z: 20,
    baseline: 'the 60 minutes before',
    total: 600,
    expected_total: 30,
    ...change,
  };
}

function incident(id: string, change: Partial<Incident> = {}): Incident {
  return {
    id,
    state: 'open',
    status: 'open',
    title: `incident ${id}`,
    severity: 'high',
    severity_score: 6,
    severity_reasons: [],
    onset: at(20),
    last: at(40),
    scope: 'payments',
    namespaces: [],
    workloads: ['payments'],
    pods: [],
    pod_count: 0,
    nodes: [],
    changes: [],
    normal_again: [],
    candidates: [],
    anomalies: [],
    evidence: [],
    ...change,
  };
}

Deno.test('what goes on and is nobody’s comes first, then the severe, then the late', () => {
  const order = byUrgency([
    incident('muted', { status: 'muted', severity_score: 9 }),
    incident('over', { state: 'closed', severity_score: 9 }),
    incident('taken', { status: 'acknowledged', severity_score: 9 }),
    incident('early', { onset: at(10) }),
    incident('late', { onset: at(30) }),
    incident('severe', { severity_score: 8 }),
    incident('merged', { state: 'merged', severity_score: 9 }),
    incident('resolved', { state: 'closed', status: 'resolved' }),
  ]).map((each) => each.id);
  expect(order, ['severe', 'late', 'early', 'taken', 'over', 'resolved', 'muted', 'merged']);
});

Deno.test('an incident stands where people put it, else where the records do', () => {
  expect(standing(incident('a')), 'open');
  expect(standing(incident('a', { state: 'closed' })), 'over');
  expect(standing(incident('a', { status: 'muted' })), 'muted');
  expect(standing(incident('a', { state: 'merged', status: 'acknowledged' })), 'merged');
});

Deno.test('an incident is open since, or was from and to', () => {
  const now = start + 60 * 60_000;
  expect(whenText(incident('a'), 'utc', now), 'since 13:20');
  expect(lengthText(incident('a'), now), '40 min');
  const over = incident('a', { state: 'closed' });
  expect(whenText(over, 'utc', now), '13:20 – 13:41');
  expect(lengthText(over, now), '21 min');
  expect(around(over), { from: at(5), to: at(43) });
  expect(around(incident('a')).to, 'now');
});

Deno.test('rates keep what tells', () => {
  expect([0, 0.04, 0.37, 4.25, 1234.4].map(rate), ['0', '0.04', '0.4', '4.3', '1,234']);
});

Deno.test('the strip tells of open incidents in the window, and of anomalies that belong to none', () => {
  const inside = anomaly('inside');
  const remarks = remarksOf(
    [incident('one', { anomalies: [inside] }), incident('quiet', { status: 'muted' })],
    [inside, anomaly('lone', { kind: 'new_value' }), anomaly('hidden', { suppressed_by: 'x' })],
    start,
    start + 3_600_000,
    (each) => `/search?q=pattern:=${each.pattern}`,
  );
  expect(remarks.map((each) => [each.title, each.href]), [
    ['Incident', '/incidents/one'],
    ['New value', '/search?q=pattern:=7'],
  ]);
  expect(remarksOf([incident('one')], [], start, start + 600_000, () => '').length, 0);
});
