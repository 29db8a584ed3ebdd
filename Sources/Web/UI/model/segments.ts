// What a log text is made of, for the eye: keys recede, values stand out, hits are marked, ANSI colors are shown and
// control bytes made visible. Everything stays text; nothing of it ever becomes markup.

export type SegmentKind = 'text' | 'key' | 'value' | 'hit' | 'control' | 'slot';

export interface Segment {
  text: string;
  kind: SegmentKind;
  /** An ANSI color class, when the sender colored it. */
  ansi?: string;
}

const pair = /([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|[^\s,;"]+)/g;
// C0 but tab and newline, DEL, C1, and the characters that reorder text.
// deno-lint-ignore no-control-regex
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
// deno-lint-ignore no-control-regex
const sequence = /\u001b\[([0-9;]*)([A-Za-z])/g;

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** The text without color sequences and with every other invisible character written out. */
export function plainText(text: string): string {
  return text.replace(sequence, '').replace(invisible, escapeOf);
}

const colors = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

function ansiClass(codes: string, current: string | undefined): string | undefined {
  let state = current;
  for (const code of (codes || '0').split(';').map(Number)) {
    if (code === 0 || code === 39) state = undefined;
    else if (code >= 30 && code <= 37) state = colors[code - 30];
    else if (code >= 90 && code <= 97) state = colors[code - 90];
  }
  return state;
}

export function segments(text: string, needles: readonly string[] = []): Segment[] {
  if (!text.includes('\u001b[')) return marked(controls(pairs(text)), needles);
  const runs: Segment[] = [];
  let last = 0;
  let color: string | undefined;
  const push = (run: string): void => {
    if (!run) return;
    if (color) runs.push({ text: run, kind: 'text', ansi: color });
    else runs.push(...pairs(run));
  };
  for (const match of text.matchAll(sequence)) {
    push(text.slice(last, match.index));
    if (match[2] === 'm') color = ansiClass(match[1]!, color);
    last = match.index + match[0].length;
  }
  push(text.slice(last));
  return marked(controls(runs), needles);
}

function pairs(text: string): Segment[] {
  const out: Segment[] = [];
  let last = 0;
  for (const match of text.matchAll(pair)) {
    if (match.index > last) out.push({ text: text.slice(last, match.index), kind: 'text' });
    out.push({ text: match[1] + '=', kind: 'key' }, { text: match[2]!, kind: 'value' });
    last = match.index + match[0].length;
  }
  if (last < text.length) out.push({ text: text.slice(last), kind: 'text' });
  return out;
}

function controls(list: Segment[]): Segment[] {
  return list.flatMap((segment) => {
    if (segment.text.search(invisible) < 0) return [segment];
    const out: Segment[] = [];
    let last = 0;
    for (const match of segment.text.matchAll(invisible)) {
      if (match.index > last) out.push({ ...segment, text: segment.text.slice(last, match.index) });
      out.push({ text: escapeOf(match[0]), kind: 'control' });
      last = match.index + match[0].length;
    }
    if (last < segment.text.length) out.push({ ...segment, text: segment.text.slice(last) });
    return out;
  });
}

function marked(list: Segment[], needles: readonly string[]): Segment[] {
  const wanted = needles.map((each) => each.toLowerCase()).filter(Boolean);
  if (wanted.length === 0) return list;
  return list.flatMap((segment) => {
    const low = segment.text.toLowerCase();
    if (low.length !== segment.text.length) return [segment];
    const out: Segment[] = [];
    let position = 0;
    for (;;) {
      let at = -1;
      let length = 0;
      for (const each of wanted) {
        const found = low.indexOf(each, position);
        if (found >= 0 && (at < 0 || found < at || (found === at && each.length > length))) {
          at = found;
          length = each.length;
        }
      }
      if (at < 0) break;
      if (at > position) out.push({ ...segment, text: segment.text.slice(position, at) });
      out.push({ text: segment.text.slice(at, at + length), kind: 'hit' });
      position = at + length;
    }
    if (position < segment.text.length) out.push({ ...segment, text: segment.text.slice(position) });
    return out;
  });
}

const slot = /<(?:\*|number|decimal|hex|uuid|ipv4|ipv6|time|duration|path|text|word|bytes)>/g;

export const hasSlots = (text: string): boolean => text.search(slot) >= 0;

/** For a short label: every slot an ellipsis. */
export const withoutSlots = (text: string): string => text.replace(slot, '…').replace(/\s+/g, ' ').trim();

/** A pattern's text with its slots apart. */
export function slots(text: string): Segment[] {
  const out: Segment[] = [];
  let last = 0;
  for (const match of text.matchAll(slot)) {
    if (match.index > last) out.push({ text: text.slice(last, match.index), kind: 'text' });
    out.push({ text: match[0].slice(1, -1), kind: 'slot' });
    last = match.index + match[0].length;
  }
  if (last < text.length) out.push({ text: text.slice(last), kind: 'text' });
  return controls(out);
}
