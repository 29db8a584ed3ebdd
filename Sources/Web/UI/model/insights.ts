import type { Analysis, Pattern } from '../api.ts';
import { withoutSlots } from './segments.ts';
import { type Severity, severityIndex } from './severity.ts';

/** One thing that stands out of a window: a sentence and one click. */
export interface Insight {
  key: string;
  pattern: Pattern;
  severity: Severity;
  kind: 'New' | 'Burst' | 'Quiet';
  /** `12×`, `New`, `Quiet`. */
  title: string;
  detail: string;
}

/** At least this many records before a change is worth a sentence. */
const countMin = 5;

/**
 * From when on a pattern's first record makes it new. With records in the window before, that is the window's start;
 * without, everything is new at first, and only what came later than the first tenth says something.
 */
export function newSince(patterns: readonly Pattern[], start: number): number {
  if (patterns.some((each) => each.previous_count > 0)) return start;
  const firsts = patterns.map((each) => Date.parse(each.first_seen)).filter((each) => each >= start);
  const lasts = patterns.map((each) => Date.parse(each.last_seen));
  if (firsts.length === 0) return start;
  const first = firsts.reduce((least, each) => Math.min(least, each));
  const last = lasts.reduce((most, each) => Math.max(most, each), first);
  return first + (last - first) / 10;
}

/** Arithmetic on counts: new patterns, bursts and silences against the window before, the most serious first. */
export function insights(patterns: readonly Pattern[], start: number): Insight[] {
  const since = newSince(patterns, start);
  const found: (Insight & { weight: number })[] = [];
  for (const pattern of patterns) {
    const first = Date.parse(pattern.first_seen);
    const level = severityIndex(pattern.level);
    const base = { key: `${pattern.id}`, pattern, severity: pattern.level as Severity };
    if (
      pattern.previous_count === 0 && first >= since && pattern.count >= 1 && (level >= 4 || pattern.count >= countMin)
    ) {
      found.push({
        ...base,
        kind: 'New',
        title: 'New',
        detail: pattern.text,
        weight: 2 + level + Math.log10(pattern.count),
      });
    } else if (
      pattern.previous_count > 0 && pattern.count >= 4 * pattern.previous_count && pattern.count >= 4 * countMin
    ) {
      const ratio = pattern.count / pattern.previous_count;
      const title = `${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(1)}×`;
      found.push({ ...base, kind: 'Burst', title, detail: pattern.text, weight: level + Math.log10(ratio) * 2 });
    } else if (pattern.previous_count >= 8 * countMin && pattern.count * 5 <= pattern.previous_count) {
      found.push({ ...base, kind: 'Quiet', title: 'Quiet', detail: pattern.text, weight: level * 0.5 + 1 });
    }
  }
  return found.sort((left, right) => right.weight - left.weight).slice(0, 3);
}

/** A stretch of time that an analysis found unusual. */
export interface Unusual {
  from: number;
  to: number;
  label: string;
  analysis: string;
}

/** The most serious new or bursting group of the newest analysis that overlaps the window. */
export function unusual(analyses: readonly Analysis[], start: number, end: number): Unusual | null {
  for (const analysis of analyses) {
    if (analysis.status !== 'completed') continue;
    if (Date.parse(analysis.end) <= start || Date.parse(analysis.start) >= end) continue;
    const groups = analysis.clusters
      .filter((each) => (each.change === 'new' || each.change === 'burst') && each.first_seen && each.last_seen)
      .sort((left, right) => right.severity_score - left.severity_score);
    const group = groups[0];
    if (!group || group.severity_score < 4) return null;
    const from = Date.parse(group.first_seen!);
    const to = Date.parse(group.last_seen!);
    if (to <= start || from >= end) return null;
    const text = withoutSlots(group.label);
    const what = text.length > 48 ? `${text.slice(0, 47)}…` : text;
    return { from, to, label: `${group.change === 'new' ? 'New' : 'Unusual'}: ${what}`, analysis: analysis.id };
  }
  return null;
}
