// LogsQL as the query bar sees it: filters on single fields become pills, the rest stays text. One truth, the whole
// query's text; this file takes it apart and puts it together, and leaves what it does not understand alone.

export interface Clause {
  /** As written, `-` included. */
  text: string;
  field: string;
  negated: boolean;
  /** `=` exact, `:` word or phrase, `in`, or the query language's own sign: `~ > >= < <= !=`; `{}` for a stream. */
  operator: string;
  values: string[];
}

export interface SplitQuery {
  clauses: Clause[];
  /** Words, phrases, everything that is no pill, and the pipes. */
  text: string;
}

interface Token {
  text: string;
  start: number;
}

/** Cuts at top-level white space; quotes and brackets hold together. */
function tokens(query: string): { list: Token[]; pipes: string; balanced: boolean } {
  const list: Token[] = [];
  let depth = 0;
  let start = -1;
  let index = 0;
  const close = (end: number): void => {
    if (start >= 0) list.push({ text: query.slice(start, end), start });
    start = -1;
  };
  while (index < query.length) {
    const character = query[index]!;
    if (character === '"' || character === "'" || character === '`') {
      if (start < 0) start = index;
      const end = endOfQuote(query, index);
      if (end < 0) {
        close(query.length);
        return { list, pipes: '', balanced: false };
      }
      index = end;
      continue;
    }
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
    if (depth === 0 && character === '|') {
      close(index);
      return { list, pipes: query.slice(index).trim(), balanced: true };
    }
    if (depth === 0 && /\s/.test(character)) close(index);
    else if (start < 0) start = index;
    index++;
  }
  close(query.length);
  return { list, pipes: '', balanced: depth === 0 };
}

function endOfQuote(text: string, start: number): number {
  const quote = text[start];
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\' && quote !== '`') index++;
    else if (text[index] === quote) return index + 1;
  }
  return -1;
}

export function unquote(text: string): string {
  if (text.length < 2 || !'"\'`'.includes(text[0]!) || text.at(-1) !== text[0]) return text;
  const inside = text.slice(1, -1);
  if (text[0] === '`') return inside;
  return inside.replace(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/g, (_, code: string) => {
    if (code.length > 1) return String.fromCharCode(parseInt(code.slice(1), 16));
    return { n: '\n', t: '\t', r: '\r' }[code] ?? code;
  });
}

const reserved = new Set(['and', 'or', 'not', 'in', 'if', 'by']);

/** A value or name as the query language wants it: bare when it is plainly a word. */
export function quote(text: string): string {
  if (/^[A-Za-z0-9_][\w.]*$/.test(text) && !reserved.has(text.toLowerCase())) return text;
  return '"' + text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t').replace(/\r/g, '\\r').replace(
    // deno-lint-ignore no-control-regex
    /[\u0000-\u001f\u007f]/g,
    (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
  ) + '"';
}

const named = /^([-!]?)("(?:[^"\\]|\\.)*"|[A-Za-z_@$][\w.@$/-]*):(=|!=|~|>=|<=|>|<)?(.+)$/s;

export function clauseOf(text: string): Clause | null {
  if (/^[-!]?\{.*\}$/s.test(text)) {
    const negated = text[0] !== '{';
    return { text, field: '_stream', negated, operator: '{}', values: [text.slice(negated ? 2 : 1, -1)] };
  }
  const match = named.exec(text);
  if (!match || match[2] === '_time' || match[2] === 'http' || match[2] === 'https') return null;
  const field = unquote(match[2]!);
  let negated = match[1] !== '';
  let operator = match[3] ?? ':';
  const rest = match[4]!;
  const list = /^in\((.*)\)$/s.exec(rest);
  if (operator === ':' && list) {
    const inner = listOf(list[1]!);
    return inner ? { text, field, negated, operator: 'in', values: inner } : null;
  }
  if (operator === '!=') {
    negated = !negated;
    operator = '=';
  }
  const end = '"\'`'.includes(rest[0]!) ? endOfQuote(rest, 0) : rest.length;
  if (end !== rest.length || (!'"\'`'.includes(rest[0]!) && /[()|,"'`]/.test(rest))) return null;
  return { text, field, negated, operator, values: [unquote(rest)] };
}

function listOf(text: string): string[] | null {
  const values: string[] = [];
  let index = 0;
  while (index < text.length) {
    if (/[\s,]/.test(text[index]!)) {
      index++;
      continue;
    }
    if ('"\'`'.includes(text[index]!)) {
      const end = endOfQuote(text, index);
      if (end < 0) return null;
      values.push(unquote(text.slice(index, end)));
      index = end;
    } else {
      const end = text.slice(index).search(/[,\s]/);
      const word = end < 0 ? text.slice(index) : text.slice(index, index + end);
      if (/[()|*]/.test(word)) return null;
      values.push(word);
      index += word.length;
    }
  }
  return values;
}

const isOr = (token: Token): boolean => token.text.toLowerCase() === 'or';

export function splitQuery(query: string): SplitQuery {
  const trimmed = query.trim();
  const { list, pipes, balanced } = tokens(trimmed);
  if (!balanced || list.some((each) => isOr(each) || /^not$/i.test(each.text))) return { clauses: [], text: trimmed };
  const clauses: Clause[] = [];
  const rest: string[] = [];
  for (const token of list) {
    if (token.text.toLowerCase() === 'and') continue;
    const clause = clauseOf(token.text);
    if (clause) clauses.push(clause);
    else rest.push(token.text);
  }
  const words = rest.join(' ');
  return { clauses, text: [words === '*' && clauses.length > 0 ? '' : words, pipes].filter(Boolean).join(' ') };
}

/**
 * For a search by meaning: filters written as such are pills, everything else is plain words, `or` and `not` included.
 */
export function splitWords(query: string): SplitQuery {
  const { list, balanced } = tokens(query.trim());
  if (!balanced) return { clauses: [], text: query.trim() };
  const clauses: Clause[] = [];
  const words: string[] = [];
  for (const token of list) {
    const clause = clauseOf(token.text);
    if (clause) clauses.push(clause);
    else if (token.text !== '*') words.push(token.text);
  }
  return { clauses, text: words.join(' ') };
}

export function joinWords(clauses: readonly Clause[], words: string): string {
  return [...clauses.map((each) => each.text), words.trim()].filter(Boolean).join(' ');
}

export function joinQuery(clauses: readonly Clause[], text: string): string {
  const words = text.trim();
  if (clauses.length === 0) return words;
  const front = clauses.map((each) => each.text).join(' ');
  const { list, pipes, balanced } = tokens(words);
  if (!balanced || !list.some(isOr)) return [front, words].filter(Boolean).join(' ');
  const filter = (pipes ? words.slice(0, words.length - pipes.length) : words).trim();
  return [front, `(${filter})`, pipes].filter(Boolean).join(' ');
}

export const hasPipes = (query: string): boolean => tokens(query.trim()).pipes !== '';

/** The filter alone, without its pipes. */
export function filterOf(query: string): string {
  const trimmed = query.trim();
  const { pipes } = tokens(trimmed);
  return (pipes ? trimmed.slice(0, trimmed.length - pipes.length) : trimmed).trim();
}

export function fieldClause(field: string, values: readonly string[], negated: boolean): Clause {
  const name = quote(field);
  const body = values.length === 1 ? `=${quoteExact(values[0]!)}` : `in(${values.map(quoteExact).join(', ')})`;
  return clauseOf(`${negated ? '-' : ''}${name}:${body}`)!;
}

/** Always quoted unless it is a plain word, the empty value included. */
const quoteExact = (value: string): string => (value === '' ? '""' : quote(value));

export interface FieldFilter {
  included: Set<string>;
  excluded: Set<string>;
}

/** Which exact values of a field the query asks for or rules out. */
export function fieldFilter(query: string, field: string): FieldFilter {
  const filter: FieldFilter = { included: new Set(), excluded: new Set() };
  for (const clause of splitQuery(query).clauses) {
    if (clause.field !== field || !['=', 'in', ':'].includes(clause.operator)) continue;
    for (const value of clause.values) (clause.negated ? filter.excluded : filter.included).add(value);
  }
  return filter;
}

/** The query without what it says about one field. */
export function withoutField(query: string, field: string): string {
  const { clauses, text } = splitQuery(query);
  return joinQuery(clauses.filter((each) => each.field !== field || !['=', 'in', ':'].includes(each.operator)), text);
}

export function withFieldFilter(query: string, field: string, filter: FieldFilter): string {
  const { clauses, text } = splitQuery(query);
  const mine = (each: Clause): boolean => each.field === field && ['=', 'in', ':'].includes(each.operator);
  const at = clauses.findIndex(mine);
  const fresh: Clause[] = [];
  if (filter.included.size > 0) fresh.push(fieldClause(field, [...filter.included], false));
  if (filter.excluded.size > 0) fresh.push(fieldClause(field, [...filter.excluded], true));
  const kept = clauses.filter((each) => !mine(each));
  // A changed filter stays where it stood, so that pills do not jump.
  const place = at < 0 ? kept.length : clauses.slice(0, at).filter((each) => !mine(each)).length;
  kept.splice(place, 0, ...fresh);
  return joinQuery(kept, text);
}

export type FilterChange = 'include' | 'exclude' | 'only' | 'clear';

/** One value of one field: included beside the others, excluded, alone, or forgotten. */
export function changed(query: string, field: string, value: string, change: FilterChange): string {
  const filter = fieldFilter(query, field);
  if (change === 'only') return withFieldFilter(query, field, { included: new Set([value]), excluded: new Set() });
  filter.included.delete(value);
  filter.excluded.delete(value);
  if (change === 'include') filter.included.add(value);
  if (change === 'exclude') filter.excluded.add(value);
  return withFieldFilter(query, field, filter);
}

/** What to mark in messages: the words and phrases that must be there. */
export function needlesOf(query: string): string[] {
  const { list } = tokens(query.trim());
  const found: string[] = [];
  for (const { text } of list) {
    if (/^[-!]/.test(text) || /^(and|or|not|\*)$/i.test(text)) continue;
    const clause = clauseOf(text);
    const value = clause ? (clause.field === '_msg' && !clause.negated ? clause.values[0]! : '') : wordOf(text);
    if (value) found.push(value);
  }
  return found;
}

function wordOf(text: string): string {
  if ('"\'`'.includes(text[0]!)) return unquote(text.replace(/\*$/, ''));
  const inner = /^i\((.*)\)$/s.exec(text);
  if (inner) return unquote(inner[1]!);
  return /[(){}:|]/.test(text) ? '' : text.replace(/\*+$/, '').replace(/^[=~]/, '');
}

/** The word under the caret, for completion. */
export interface Completing {
  start: number;
  end: number;
  /** Set when a value is being typed: the field it belongs to. */
  field: string | null;
  typed: string;
  /** `-` and the like that stay in front. */
  lead: string;
}

export function completingAt(text: string, caret: number): Completing {
  const before = text.slice(0, caret);
  const { list } = tokens(before.replace(/\|/g, ' '));
  const last = list.at(-1);
  if (!last || last.start + last.text.length < before.length) {
    return { start: caret, end: caret, field: null, typed: '', lead: '' };
  }
  const match = /^([-!]?)(?:("(?:[^"\\]|\\.)*"|[A-Za-z_@$][\w.@$/-]*):(=?)(.*)|(.*))$/s.exec(last.text)!;
  if (match[2] !== undefined) {
    const typed = match[4]!;
    return {
      start: last.start,
      end: caret,
      field: unquote(match[2]),
      typed: typed.startsWith('"') ? typed.slice(1) : typed,
      lead: match[1]!,
    };
  }
  return { start: last.start, end: caret, field: null, typed: match[5]!, lead: match[1]! };
}

/** Character position in UTF-16 of a 1-based column in Unicode scalars. */
export function offsetOfColumn(text: string, column: number): number {
  let offset = 0;
  let scalars = 1;
  for (const scalar of text) {
    if (scalars >= column) break;
    scalars++;
    offset += scalar.length;
  }
  return offset;
}
