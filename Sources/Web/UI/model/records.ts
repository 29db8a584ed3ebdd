import { plainText } from './segments.ts';
import { type Severity, severityOf } from './severity.ts';

/** One record as the API sends it: every field a text. */
export type Fields = Record<string, string>;

/** A record with what a list needs at hand. */
export interface LogRecord {
  id: string;
  /** Milliseconds; the exact text is `fields._time`. */
  time: number;
  severity: Severity;
  message: string;
  fields: Fields;
  /** Of a search by meaning. */
  hit?: { match: 'word' | 'meaning' | 'both'; score: number; duplicates: number; pattern: string };
}

export function recordOf(fields: Fields, index = 0): LogRecord {
  const time = Date.parse(fields['_time'] ?? '');
  return {
    id: fields['_id'] ?? `${fields['_time'] ?? ''}#${index}`,
    time: Number.isNaN(time) ? 0 : time,
    severity: severityOf(fields['severity']),
    message: fields['_msg'] ?? '',
    fields,
  };
}

/** Rows of a list never carry more than this of a message; the detail shows all. */
export const messageCharactersMax = 4000;

export function shown(message: string): string {
  return message.length <= messageCharactersMax
    ? message
    : `${message.slice(0, messageCharactersMax)} … ${message.length - messageCharactersMax} more characters`;
}

/** On one line, as a list without wrapping shows it. */
export const oneLine = (message: string): string => message.replace(/\r?\n/g, ' ⏎ ');

const sources = [
  'service',
  'service.name',
  'app',
  'kubernetes.container_name',
  'container',
  'kubernetes.pod_name',
  'source',
  'logger',
  'host',
  'kubernetes.host',
];

/** The column that says who wrote it: the first of the usual names that most of the records carry. */
export function sourceColumn(records: readonly LogRecord[]): string | null {
  const sample = records.slice(0, 200);
  if (sample.length === 0) return null;
  let best: string | null = null;
  let bestCount = 0;
  for (const name of sources) {
    const count = sample.reduce((sum, each) => sum + (each.fields[name] ? 1 : 0), 0);
    if (count > sample.length * 0.6) return name;
    if (count > bestCount) [best, bestCount] = [name, count];
  }
  return best;
}

const titles: Record<string, string> = {
  _time: 'Time',
  _msg: 'Message',
  severity: 'Level',
  pattern: 'Pattern',
  'kubernetes.pod_name': 'Pod',
  'kubernetes.namespace_name': 'Namespace',
  'kubernetes.container_name': 'Container',
  'kubernetes.host': 'Host',
};

/** A field's name for a heading. The true name stands in tooltips and filters. */
export function fieldTitle(name: string): string {
  const known = titles[name];
  if (known) return known;
  const label = /^kubernetes\.labels\.(.+)$/.exec(name);
  if (label) return `${fieldTitle(label[1]!)} label`;
  return /^[a-z]+$/.test(name) ? name[0]!.toUpperCase() + name.slice(1) : name;
}

export function toCSV(rows: readonly Fields[]): string {
  const names: string[] = [];
  const seen = new Set<string>();
  for (const row of rows) {
    for (const name of Object.keys(row)) {
      if (!seen.has(name)) {
        seen.add(name);
        names.push(name);
      }
    }
  }
  // A cell that a spreadsheet would run as a formula is written as text.
  const cell = (value: string): string => {
    const safe = /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [names.map(cell).join(','), ...rows.map((row) => names.map((name) => cell(row[name] ?? '')).join(','))].join(
    '\r\n',
  ) + '\r\n';
}

export function toText(rows: readonly Fields[]): string {
  return rows.map((row) => `${row['_time'] ?? ''} ${row['severity'] ?? ''} ${plainText(row['_msg'] ?? '')}\n`).join('');
}
