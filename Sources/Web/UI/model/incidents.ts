import type { Anomaly, AnomalyKind, Candidate, Incident } from '../api.ts';
import { number } from './numbers.ts';
import { hourMinute, MINUTE, moment, sameDay, span, type Zone } from './time.ts';

/** What an incident stands at: what people said of it, else what the records say. */
export type Standing = 'open' | 'acknowledged' | 'over' | 'resolved' | 'muted' | 'merged';

export function standing(incident: Incident): Standing {
  if (incident.state === 'merged') return 'merged';
  if (incident.status !== 'open') return incident.status;
  return incident.state === 'open' ? 'open' : 'over';
}

export const standingWords: Record<Standing, string> = {
  open: 'Open, and nobody has taken it',
  acknowledged: 'Acknowledged: somebody looks into it',
  over: 'The records are back to normal; nobody has said a word about it',
  resolved: 'Resolved',
  muted: 'Muted: it stays quiet, whatever it does',
  merged: 'Became part of another incident',
};

const urgency: Record<Standing, number> = { open: 0, acknowledged: 1, over: 2, resolved: 3, muted: 4, merged: 5 };

/** The most urgent first: what goes on and is nobody's, then by severity, then the latest. */
export function byUrgency(incidents: readonly Incident[]): Incident[] {
  return [...incidents].sort((left, right) =>
    urgency[standing(left)] - urgency[standing(right)] || right.severity_score - left.severity_score ||
    Date.parse(right.onset) - Date.parse(left.onset)
  );
}

/** The end of the last minute out of the ordinary; `now` while it goes on. */
export function endOf(incident: Incident, now: number): number {
  return incident.state === 'open' ? now : Date.parse(incident.last) + MINUTE;
}

/** 15:20 – 15:42, or since 15:20. */
export function whenText(incident: Incident, zone: Zone, now: number): string {
  const onset = Date.parse(incident.onset);
  if (incident.state === 'open') return `since ${moment(onset, zone, now)}`;
  const end = endOf(incident, now);
  return `${moment(onset, zone, now)} – ${sameDay(onset, end, zone) ? hourMinute(end, zone) : moment(end, zone, now)}`;
}

export const lengthText = (incident: Incident, now: number): string =>
  span(endOf(incident, now) - Date.parse(incident.onset));

/** The window to look at an incident in: some time before it, and a little after it when it is over. */
export function around(incident: Incident): { from: string; to: string } {
  const lead = 15 * MINUTE;
  return {
    from: new Date(Date.parse(incident.onset) - lead).toISOString(),
    to: incident.state === 'open' ? 'now' : new Date(Date.parse(incident.last) + 3 * MINUTE).toISOString(),
  };
}

export const kinds: Record<AnomalyKind, { word: string; means: string; change: 'new' | 'up' | 'down' | 'same' }> = {
  new: { word: 'new', means: 'never seen in this workload before', change: 'new' },
  variant: { word: 'variant', means: 'a new form of a known pattern', change: 'new' },
  spike: { word: 'spike', means: 'far more than usual', change: 'up' },
  drop: { word: 'drop', means: 'far less than usual', change: 'down' },
  silence: { word: 'silence', means: 'usually there, and gone', change: 'down' },
  shift: { word: 'shift', means: 'a lasting change of rate', change: 'up' },
  rare: { word: 'rare', means: 'hardly ever seen', change: 'new' },
  new_value: { word: 'new value', means: 'a variable of the pattern has a value it never had', change: 'new' },
  deployment: { word: 'deployment', means: 'a new version runs', change: 'same' },
};

/** A rate in records a minute: 30, 4.2, 0.03. */
export function rate(value: number): string {
  if (value >= 10 || value === 0) return number(Math.round(value));
  return value >= 0.1 ? value.toFixed(1) : value.toPrecision(1);
}

/** Records of a pattern; every record where it is a workload's as a whole. */
export const patternQuery = (pattern: number | undefined): string => pattern === undefined ? '' : `pattern:=${pattern}`;

/** Roots first, then what they explain. */
export function origins(candidates: readonly Candidate[]): { roots: Candidate[]; explained: Candidate[] } {
  return {
    roots: candidates.filter((each) => each.is_root),
    explained: candidates.filter((each) => !each.is_root),
  };
}

/** One thing of the strip above the records. */
export interface Remark {
  key: string;
  kind: 'incident' | 'anomaly';
  grade: Incident['severity'];
  title: string;
  detail: string;
  figure: string;
  href: string;
}

/** Open incidents of a window, and open anomalies that belong to none of them. */
export function remarksOf(
  incidents: readonly Incident[],
  anomalies: readonly Anomaly[],
  start: number,
  end: number,
  hrefOf: (anomaly: Anomaly) => string,
): Remark[] {
  const inside = byUrgency(incidents).filter((each) =>
    each.state === 'open' && (each.status === 'open' || each.status === 'acknowledged') &&
    Date.parse(each.onset) < end && Date.parse(each.last) + MINUTE > start
  );
  const told = new Set(incidents.flatMap((each) => each.anomalies.map((anomaly) => anomaly.id)));
  return [
    ...inside.map((each): Remark => ({
      key: `incident ${each.id}`,
      kind: 'incident',
      grade: each.severity,
      title: 'Incident',
      detail: each.title,
      figure: '',
      href: `/incidents/${each.id}`,
    })),
    ...anomalies
      .filter((each) => !told.has(each.id) && !each.suppressed_by && each.severity !== 'none')
      .sort((left, right) => right.severity_score - left.severity_score)
      .map((each): Remark => {
        const word = kinds[each.kind].word;
        return {
          key: `anomaly ${each.id}`,
          kind: 'anomaly',
          grade: each.severity,
          title: word[0]!.toUpperCase() + word.slice(1),
          detail: each.pattern_text || each.workload,
          figure: `${rate(each.observed)}/min`,
          href: hrefOf(each),
        };
      }),
  ].slice(0, 2);
}
