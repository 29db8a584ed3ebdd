// The only file that fetches. It knows the credential, turns problem documents into errors, and reads streams.

import type { HitSeries } from './model/buckets.ts';
import type { Fields } from './model/records.ts';

/** A problem document (RFC 9457), or what stands for one when the server did not answer. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly instance: string | null;
  /** Where a query does not parse, 1-based, in Unicode scalars. */
  readonly column: number | null;
  readonly expected: string | null;
  /** Seconds, from `Retry-After`. */
  readonly retryAfter: number | null;

  constructor(status: number, document: Record<string, unknown>, retryAfter: number | null = null) {
    const text = (key: string): string | null => (typeof document[key] === 'string' ? document[key] : null);
    const title = text('title') ?? `The server answered ${status}`;
    super(title);
    this.status = status;
    this.title = title;
    this.detail = text('detail') ?? '';
    this.instance = text('instance');
    this.column = typeof document['column'] === 'number' ? document['column'] : null;
    const expected = document['expected'];
    this.expected = Array.isArray(expected) ? expected.join(', ') : text('expected');
    this.retryAfter = retryAfter;
  }

  /** The server could not be reached at all. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

// Credential ---------------------------------------------------------------------------------------------------

const keyName = 'tl.key';
let key: string | null = null;
try {
  key = sessionStorage.getItem(keyName);
} catch {
  // Storage may be blocked: the key then lives as long as the page.
}

export const hasKey = (): boolean => key !== null;

export function keepKey(value: string | null): void {
  key = value;
  try {
    if (value === null) sessionStorage.removeItem(keyName);
    else sessionStorage.setItem(keyName, value);
  } catch {
    // As above.
  }
}

// Reachability and sign-in, for whoever shows them --------------------------------------------------------------

export interface Connection {
  /** The last request got an answer. */
  reachable: boolean;
  /** A request was refused for want of a credential. */
  signedOut: boolean;
  /** Counts recoveries: what was loaded before may be old. */
  generation: number;
}

let connection: Connection = { reachable: true, signedOut: false, generation: 0 };
const watchers = new Set<() => void>();

export const connectionNow = (): Connection => connection;

export function watchConnection(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
  };
}

function update(change: Partial<Connection>): void {
  if (Object.entries(change).every(([name, value]) => connection[name as keyof Connection] === value)) return;
  connection = { ...connection, ...change };
  watchers.forEach((each) => each());
}

export function signedIn(): void {
  update({ signedOut: false, generation: connection.generation + 1 });
}

let healing: ReturnType<typeof setTimeout> | undefined;

function lost(): void {
  update({ reachable: false });
  if (healing !== undefined) return;
  const attempt = async (): Promise<void> => {
    healing = undefined;
    try {
      await fetch('/api/v1/healthz', { cache: 'no-store' });
      update({ reachable: true, generation: connection.generation + 1 });
    } catch {
      // Still away: the next attempt is due.
      healing = setTimeout(attempt, 3000);
    }
  };
  healing = setTimeout(attempt, 2000);
}

// Requests -------------------------------------------------------------------------------------------------------

export type Parameters = Record<string, string | number | null | undefined>;

interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  parameters?: Parameters;
  body?: unknown;
  signal?: AbortSignal | undefined;
  accept?: string;
}

async function request(path: string, call: Call): Promise<Response> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(call.parameters ?? {})) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value));
  }
  const query = search.size > 0 ? `?${search}` : '';
  const headers: Record<string, string> = { Accept: call.accept ?? 'application/json' };
  if (key) headers['Authorization'] = `Bearer ${key}`;
  if (call.body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}${query}`, {
      method: call.method ?? 'GET',
      headers,
      cache: 'no-store',
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.signal ? { signal: call.signal } : {}),
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    lost();
    throw new Problem(0, {
      title: 'The server does not answer',
      detail: 'It may be restarting, or the network is down. This page tries again by itself.',
    });
  }
  update({ reachable: true });
  if (response.ok) return response;
  const document = await response.json().catch(() => ({})) as Record<string, unknown>;
  if (response.status === 401) update({ signedOut: true });
  const after = Number(response.headers.get('Retry-After'));
  throw new Problem(response.status, document, after > 0 ? after : null);
}

async function json<T>(path: string, call: Call = {}): Promise<T> {
  const response = await request(path, call);
  return await response.json() as T;
}

/** Text lines of a body as they arrive, in batches. */
async function* textLines(response: Response): AsyncGenerator<string[]> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split('\n');
      rest = lines.pop()!;
      if (lines.length > 0) yield lines;
    }
    if (rest) yield [rest];
  } catch (error) {
    if (isAbort(error)) throw error;
    lost();
    throw new Problem(0, { title: 'The answer broke off', detail: 'The connection to the server was lost.' });
  } finally {
    // The consumer may have left early; a reader already closed has nothing to cancel.
    reader.cancel().catch(() => {});
  }
}

// The API ----------------------------------------------------------------------------------------------------------

export interface Session {
  mode: 'dev' | 'key';
  tenant: { id: string; name: string };
  version: string;
  now: string;
}

export const session = (signal?: AbortSignal): Promise<Session> => json('/session', { signal });

/** A query over a window of time; the ends are milliseconds. */
export interface Window {
  query: string;
  start: number;
  end: number;
}

const instant = (time: number): string => new Date(time).toISOString();

const windowOf = (window: Window): Parameters => ({
  query: window.query || '*',
  start: instant(window.start),
  end: instant(window.end),
});

/** Records, newest first, as they arrive. */
export async function* records(
  window: Window,
  limit: number,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Fields[]> {
  const parameters = { ...windowOf(window), limit, offset: offset || null };
  const response = await request('/logs/query', { parameters, signal, accept: 'application/x-ndjson' });
  for await (const lines of textLines(response)) {
    yield lines.filter((line) => line.trim()).map((line) => fieldsOf(JSON.parse(line)));
  }
}

/** Field values are texts; what a pipe computed may be a number. */
function fieldsOf(value: Record<string, unknown>): Fields {
  for (const [name, each] of Object.entries(value)) {
    if (typeof each !== 'string') value[name] = typeof each === 'object' ? JSON.stringify(each) : String(each);
  }
  return value as Fields;
}

/** The newest record of all time that matches, to say where records are when a window has none. */
export async function newest(query: string, signal?: AbortSignal): Promise<Fields | null> {
  const response = await request('/logs/query', {
    parameters: { query: query || '*', limit: 1 },
    signal,
    accept: 'application/x-ndjson',
  });
  const text = await response.text();
  const line = text.split('\n')[0]!.trim();
  return line ? fieldsOf(JSON.parse(line)) : null;
}

export interface Statistics {
  matched: number;
  total: number;
  blocks_opened: number;
  blocks: number;
  bytes_read: number;
  duration_ms: number;
}

export interface Hits {
  hits: HitSeries[];
  statistics?: Statistics;
}

export const hits = (window: Window, step: string, signal?: AbortSignal): Promise<Hits> =>
  json('/logs/hits', { parameters: { ...windowOf(window), step, field: 'severity' }, signal });

export interface ExplanationPart {
  text: string;
  known?: string;
  parts?: ExplanationPart[];
}

export interface Explanation {
  query: string;
  filter: ExplanationPart;
  pipes: string[];
  stops_early: boolean;
  blocks: {
    total: number;
    pruned: { time: number; streams: number; templates: number; tokens: number; nothing_left: number };
    summarized: number;
    opened: number;
    not_needed: number;
  };
  records: { total: number; matched: number; answered: number };
  bytes_read: number;
  steps: { name: string; duration_ms: number }[];
  duration_ms: number;
}

export const explain = (window: Window, limit: number, signal?: AbortSignal): Promise<Explanation> =>
  json('/logs/query', { parameters: { ...windowOf(window), limit, explain: 1 }, signal });

export interface Facet {
  field_name: string;
  values: { field_value: string; hits: number }[];
}

export const facets = async (window: Window, limit: number, signal?: AbortSignal): Promise<Facet[]> =>
  (await json<{ facets: Facet[] }>('/logs/facets', { parameters: { ...windowOf(window), limit }, signal })).facets;

export interface ValueCount {
  value: string;
  hits: number;
}

export const fieldNames = async (window: Window, signal?: AbortSignal): Promise<ValueCount[]> =>
  (await json<{ values: ValueCount[] }>('/logs/field_names', { parameters: windowOf(window), signal })).values;

export const fieldValues = async (
  window: Window,
  field: string,
  limit: number,
  signal?: AbortSignal,
): Promise<ValueCount[]> => {
  const parameters = { ...windowOf(window), field, limit };
  return (await json<{ values: ValueCount[] }>('/logs/field_values', { parameters, signal })).values;
};

export interface Context {
  records: Fields[];
  anchor: number;
}

export const context = async (id: string, before: number, after: number, signal?: AbortSignal): Promise<Context> => {
  const found = await json<Context>('/logs/context', { parameters: { id, before, after }, signal });
  return { ...found, records: found.records.map((each) => fieldsOf(each)) };
};

/** The number of a record's pattern: a field that is worked out only when it is named. */
export async function patternOf(id: string, time: number, signal?: AbortSignal): Promise<string | null> {
  const response = await request('/logs/query', {
    parameters: {
      query: `_id:="${id}" | fields _id, pattern`,
      start: instant(time - 1),
      end: instant(time + 1000),
      limit: 1,
    },
    signal,
    accept: 'application/x-ndjson',
  });
  const line = (await response.text()).split('\n')[0]!.trim();
  return line ? fieldsOf(JSON.parse(line))['pattern'] || null : null;
}

export interface MeaningHit {
  id: string;
  timestamp: string;
  namespace: string | null;
  pod_name: string | null;
  container_name: string | null;
  log: string;
  severity: string;
  node_name: string | null;
  labels: Record<string, string> | null;
  score: number;
  duplicate_count: number;
  pattern: number | null;
  match: 'word' | 'meaning' | 'both';
}

/** Records that mean what `window.query` says, among those that `filter` matches; the nearest first. */
export const searchByMeaning = (
  window: Window,
  filter: string,
  limit: number,
  signal?: AbortSignal,
): Promise<MeaningHit[]> =>
  json('/logs/search', {
    method: 'POST',
    body: { query: window.query, filter: filter || '*', limit, start: instant(window.start), end: instant(window.end) },
    signal,
  });

/** The newest records of the patterns near in meaning to a record's, the nearest first. */
export const similarRecords = (
  id: string,
  window: Window,
  limit: number,
  signal?: AbortSignal,
): Promise<MeaningHit[]> =>
  json('/logs/similar', {
    parameters: { id, limit, start: instant(window.start), end: instant(window.end) },
    signal,
  });

export interface Pattern {
  id: number;
  text: string;
  level: string;
  count: number;
  share: number;
  first_seen: string;
  last_seen: string;
  counts: number[];
  previous_count: number;
  sample: string;
  streams: number;
}

export interface PatternList {
  patterns: Pattern[];
  total: number;
  records: number;
  start: string;
  end: string;
  step: string;
}

export type PatternSort = 'count' | 'new' | 'rising' | 'rare';

export const patterns = (
  window: Window,
  sort: PatternSort,
  limit: number,
  signal?: AbortSignal,
): Promise<PatternList> => json('/patterns', { parameters: { ...windowOf(window), sort, limit }, signal });

export interface Evidence {
  id: string;
  time: string;
  message: string;
  stream: string;
}

export interface Finding {
  title: string;
  detail: string;
  kind: string;
  severity: string;
  onset: string | null;
  evidence: Evidence[];
}

export interface AnalysisCluster {
  cluster_id: number | string;
  label: string;
  size: number;
  sample_logs: string[];
  severity: string;
  severity_score: number;
  reasons: string[];
  patterns: number[];
  first_seen: string | null;
  last_seen: string | null;
  counts: number[];
  change: 'new' | 'burst' | 'drop' | 'silence' | 'shift' | 'rare' | 'steady';
  baseline_rate: number | null;
  rate: number | null;
  workloads: string[];
}

export interface Analysis {
  id: string;
  created_at: string;
  status: 'pending' | 'running' | 'completed' | 'failed';
  namespace: string | null;
  start: string;
  end: string;
  cluster_count: number;
  severity_score: number | null;
  severity: 'none' | 'low' | 'medium' | 'high' | 'critical';
  headline: string | null;
  summary: string | null;
  record_count: number | null;
  pattern_count: number | null;
  progress: { step: string; detail: string; count: number | null }[];
  clusters: AnalysisCluster[];
  findings: Finding[];
  error: string | null;
}

export interface AnalysisRequest {
  namespace: string | null;
  time_range_hours: number;
  min_cluster_size: number;
  start?: string;
  end?: string;
}

export const analyses = (limit: number, signal?: AbortSignal): Promise<Analysis[]> =>
  json('/analyses', { parameters: { limit }, signal });

export const analysis = (id: string, signal?: AbortSignal): Promise<Analysis> =>
  json(`/analyses/${encodeURIComponent(id)}`, { signal });

export const startAnalysis = (body: AnalysisRequest): Promise<Analysis> => json('/analyses', { method: 'POST', body });

export const deleteAnalysis = async (id: string): Promise<void> => {
  await request(`/analyses/${encodeURIComponent(id)}`, { method: 'DELETE' });
};

export type Grade = 'none' | 'low' | 'medium' | 'high' | 'critical';
export type AnomalyKind =
  | 'new'
  | 'variant'
  | 'spike'
  | 'drop'
  | 'silence'
  | 'shift'
  | 'rare'
  | 'new_value'
  | 'deployment';

export interface Anomaly {
  id: string;
  kind: AnomalyKind;
  phase: 'opened' | 'ongoing' | 'ended';
  /** Absent for a workload as a whole. */
  pattern?: number;
  pattern_text: string;
  workload: string;
  summary: string;
  severity: Grade;
  severity_score: number;
  reasons: string[];
  onset: string;
  last: string;
  /** Records a minute. */
  observed: number;
  expected: number;
  z: number;
  baseline: string;
  total: number;
  expected_total: number;
  value?: { variable: number; value: string };
  suppressed_by?: string;
}

export interface Candidate {
  pattern?: number;
  text: string;
  workload: string;
  onset: string;
  score: number;
  reasons: string[];
  is_root: boolean;
}

export type IncidentStatus = 'open' | 'acknowledged' | 'resolved' | 'muted';

export interface Incident {
  id: string;
  /** What the records say. */
  state: 'open' | 'closed' | 'merged';
  merged_into?: string;
  /** What people said. */
  status: IncidentStatus;
  status_at?: string;
  title: string;
  severity: Grade;
  severity_score: number;
  severity_reasons: string[];
  onset: string;
  last: string;
  scope: string;
  namespaces: string[];
  workloads: string[];
  pods: string[];
  pod_count: number;
  nodes: string[];
  changes: string[];
  normal_again: string[];
  candidates: Candidate[];
  anomalies: Anomaly[];
  evidence: { id: string; time: string; message: string; workload: string; pattern?: number }[];
}

interface Span {
  start: number;
  end: number;
}

const spanOf = (span: Span | null): Parameters =>
  span === null ? {} : { start: instant(span.start), end: instant(span.end) };

/** Incidents that touch the window, the latest first; without one, of all time. */
export const incidents = (
  span: Span | null,
  onlyOpen: boolean,
  limit: number,
  signal?: AbortSignal,
): Promise<Incident[]> =>
  json('/incidents', { parameters: { ...spanOf(span), open: onlyOpen ? 'true' : null, limit }, signal });

export const incident = (id: string, signal?: AbortSignal): Promise<Incident> =>
  json(`/incidents/${encodeURIComponent(id)}`, { signal });

export const setIncidentStatus = (id: string, status: IncidentStatus): Promise<Incident> =>
  json(`/incidents/${encodeURIComponent(id)}/status`, { method: 'POST', body: { status } });

export const anomalies = (span: Span, onlyOpen: boolean, limit: number, signal?: AbortSignal): Promise<Anomaly[]> =>
  json('/anomalies', { parameters: { ...spanOf(span), open: onlyOpen ? 'true' : null, limit }, signal });

export interface Suppression {
  id: string;
  reason: 'snoozed' | 'expected' | 'maintenance';
  /** Absent is all. */
  workload?: string;
  pattern?: number;
  kinds: string[];
  start: string;
  end: string;
  repeat_minutes?: number;
  note: string;
}

export interface SuppressionRequest {
  reason: Suppression['reason'];
  workload: string;
  pattern?: number;
  /** Separated by commas; none is all. */
  kinds?: string;
  /** RFC 3339, or `now+1h`. */
  end: string;
}

export const suppressions = (signal?: AbortSignal): Promise<Suppression[]> => json('/suppressions', { signal });

export const suppress = (body: SuppressionRequest): Promise<Suppression> =>
  json('/suppressions', { method: 'POST', body });

export const endSuppression = async (id: string): Promise<void> => {
  await request(`/suppressions/${encodeURIComponent(id)}`, { method: 'DELETE' });
};

export interface Feedback {
  workload: string;
  pattern?: number;
  /** What it adds to the score; 0 is nothing said. */
  points: number;
}

export const feedback = (signal?: AbortSignal): Promise<Feedback[]> => json('/feedback', { signal });

export const setFeedback = (
  workload: string,
  pattern: number | undefined,
  verdict: 'problem' | 'no_problem' | 'none',
): Promise<unknown> =>
  json('/feedback', {
    method: 'PUT',
    body: { workload, ...(pattern === undefined ? {} : { pattern }), verdict },
  });

export interface ComparisonRow {
  pattern: number;
  text: string;
  workload: string;
  change: 'new' | 'gone' | 'up' | 'down';
  before: number;
  after: number;
  /** Records a minute. */
  rate_before: number;
  rate_after: number;
  /** Absent where one of them is none. */
  ratio?: number;
  ratio_low?: number;
  ratio_high?: number;
  g2: number;
  /** Of all that is unlike, 0 to 1. */
  share: number;
}

export interface Comparison {
  records_before: number;
  records_after: number;
  divergence: number;
  rows: ComparisonRow[];
  total: number;
}

/** What is unlike between two windows, the most telling first. */
export const compare = (
  query: string,
  before: Span,
  after: Span,
  limit: number,
  signal?: AbortSignal,
): Promise<Comparison> =>
  json('/comparisons', {
    method: 'POST',
    body: {
      query: query || '*',
      before_start: instant(before.start),
      before_end: instant(before.end),
      after_start: instant(after.start),
      after_end: instant(after.end),
      limit,
    },
    signal,
  });

/** Says that something was found out or changed: `open` once connected, then an event's name each time. */
export async function* followInsights(signal: AbortSignal): AsyncGenerator<string> {
  const response = await request('/insights/stream', { signal, accept: 'text/event-stream' });
  yield 'open';
  for await (const lines of textLines(response)) {
    for (const line of lines) if (line.startsWith('event:')) yield line.slice(6).trim();
  }
}

export type TailEvent = { kind: 'open' } | { kind: 'records'; records: Fields[] } | { kind: 'dropped'; count: number };

/** Matching records as they are committed. Server-sent events over `fetch`, because `EventSource` sends no header. */
export async function* tail(query: string, signal: AbortSignal): AsyncGenerator<TailEvent> {
  const response = await request('/logs/tail', {
    parameters: { query: query || '*' },
    signal,
    accept: 'text/event-stream',
  });
  yield { kind: 'open' };
  let event = '';
  let data = '';
  for await (const lines of textLines(response)) {
    const batch: Fields[] = [];
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      if (line === '') {
        if (data && event === 'dropped') yield { kind: 'dropped', count: Number(JSON.parse(data).count) || 0 };
        else if (data) batch.push(fieldsOf(JSON.parse(data)));
        event = '';
        data = '';
      } else if (line.startsWith('event:')) event = line.slice(6).trim();
      else if (line.startsWith('data:')) data += (data ? '\n' : '') + line.slice(5).trimStart();
    }
    if (batch.length > 0) yield { kind: 'records', records: batch };
  }
}
