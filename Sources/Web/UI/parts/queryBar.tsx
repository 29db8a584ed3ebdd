import { forwardRef, useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react';
import { type Problem, type ValueCount } from '../api.ts';
import { compact } from '../model/numbers.ts';
import {
  type Clause,
  completingAt,
  filterOf,
  joinQuery,
  joinWords,
  offsetOfColumn,
  quote,
  splitQuery,
  splitWords,
  withoutField,
} from '../model/query.ts';
import { Icon } from './icon.tsx';
import { Segmented } from './segmented.tsx';

export type Mode = 'filter' | 'meaning';

/** What completion asks its page for. */
export interface Suggestions {
  names: (query: string, signal: AbortSignal) => Promise<ValueCount[]>;
  values: (query: string, field: string, signal: AbortSignal) => Promise<ValueCount[]>;
}

interface Option {
  key: string;
  text: string;
  note: string;
  kind: 'field' | 'value' | 'history';
  apply: { text: string; caret: number; run: boolean };
}

export interface QueryBarHandle {
  focus: () => void;
}

const operatorText: Record<string, string> = { ':': 'has', '{}': '' };

function pillText(clause: Clause): { operator: string; value: string } {
  const sign = operatorText[clause.operator] ?? clause.operator;
  const operator = clause.negated ? { '=': '≠', in: 'not in', has: 'has not', '': 'not' }[sign] ?? `not ${sign}` : sign;
  return { operator, value: clause.values.map((each) => (each === '' ? '(empty)' : each)).join(', ') };
}

/**
 * The query: LogsQL text, filters on single fields shown as pills over the same text. Enter runs; a filter typed out
 * becomes a pill then; a click on a pill, or Backspace before the text, makes it text again.
 */
export const QueryBar = forwardRef<QueryBarHandle, {
  query: string;
  mode: Mode;
  modes?: boolean;
  problem: Problem | null;
  history: readonly string[];
  suggest: Suggestions;
  onQuery: (query: string) => void;
  onMode?: (mode: Mode) => void;
}>(function QueryBar({ query, mode, modes = true, problem, history, suggest, onQuery, onMode }, handle) {
  const meaning = mode === 'meaning';
  const split = useMemo(() => meaning ? splitWords(query) : splitQuery(query), [query, meaning]);
  const [text, setText] = useState(split.text);
  const [clauses, setClauses] = useState(split.clauses);
  useEffect(() => {
    setText(split.text);
    setClauses(split.clauses);
  }, [split]);
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const [options, setOptions] = useState<Option[]>([]);
  const [chosen, setChosen] = useState(-1);
  const [caret, setCaret] = useState<number | null>(null);
  const listId = useId();
  const errorId = useId();

  useImperativeHandle(handle, () => ({
    focus: () => {
      input.current!.focus();
      input.current!.select();
    },
  }));

  const closeOptions = (): void => {
    setOptions([]);
    setChosen(-1);
    setCaret(null);
  };
  const run = (value = text, list = clauses): void => {
    closeOptions();
    onQuery(meaning ? joinWords(list, value) : normalize(list, value));
  };

  // Completion follows the caret, a moment after the last key.
  useEffect(() => {
    if (caret === null || meaning) return;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const found = await complete(text, caret, clauses, history, suggest, abort.signal);
        if (!abort.signal.aborted) {
          setOptions(found);
          setChosen(-1);
        }
      } catch {
        // Suggestions are a convenience: without them the bar works as before.
        if (!abort.signal.aborted) setOptions([]);
      }
    }, text === '' ? 0 : 120);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [caret, text, clauses, meaning]);

  const take = (option: Option): void => {
    setText(option.apply.text);
    if (option.apply.run) {
      run(option.apply.text, option.kind === 'history' ? [] : clauses);
      return;
    }
    setCaret(option.apply.caret);
    setOptions([]);
    setChosen(-1);
    requestAnimationFrame(() => {
      input.current!.focus();
      input.current!.setSelectionRange(option.apply.caret, option.apply.caret);
    });
  };
  const asText = (clause: Clause): void => {
    setClauses(clauses.filter((each) => each !== clause));
    setText(`${clause.text}${text ? ' ' + text : ''}`);
    input.current!.focus();
  };

  // The problem's column counts over the whole query; pills stand before the text.
  const sent = joinQuery(split.clauses, split.text);
  const prefix = sent.length - split.text.length;
  const column = problem?.column ?? null;
  const badAt = column === null || meaning ? null : Math.max(0, offsetOfColumn(sent, column) - prefix);
  const unchanged = text === split.text && clauses === split.clauses;
  const badWord = badAt === null ? '' : (/^\S+/.exec(text.slice(badAt))?.[0] ?? '');
  const showOptions = options.length > 0 && caret !== null;

  return (
    <div className={problem && unchanged ? 'q-box bad' : 'q-box'}>
      {modes && (
        <Segmented
          label='Search by'
          chosen={mode}
          onChoose={(value) => onMode?.(value)}
          options={[
            { value: 'filter', label: 'Filter', title: 'LogsQL: words, phrases, field:value' },
            {
              value: 'meaning',
              label: (
                <>
                  <Icon name='sparkles' size={12} /> Meaning
                </>
              ),
              title: 'In plain words: finds what is said another way',
            },
          ]}
        />
      )}
      <div className='q-scroll'>
        {clauses.map((clause, index) => {
          const { operator, value } = pillText(clause);
          return (
            <span key={`${index}${clause.text}`} className={clause.negated ? 'pill not' : 'pill'}>
              <button
                type='button'
                className='pill-t'
                title={`${clause.text}: click to edit`}
                onClick={() => asText(clause)}
              >
                {clause.operator === '{}' ? null : <b>{clause.field}</b>}
                {operator && <i>{operator}</i>}
                <span>{clause.operator === '{}' ? `{${value}}` : value}</span>
              </button>
              <button
                type='button'
                className='pill-x'
                aria-label={`Remove filter ${clause.text}`}
                onClick={() => run(text, clauses.filter((each) => each !== clause))}
              >
                <Icon name='x' size={12} />
              </button>
            </span>
          );
        })}
        <div className='q-field'>
          <div ref={mirror} className='q-mirror' aria-hidden='true'>
            {badAt !== null && unchanged && (
              <>
                {text.slice(0, badAt)}
                <u>{badWord || ' '}</u>
              </>
            )}
          </div>
          <input
            ref={input}
            value={text}
            spellCheck={false}
            autoComplete='off'
            autoCapitalize='off'
            role='combobox'
            aria-label={meaning ? 'Search by meaning' : 'Search logs with LogsQL'}
            aria-expanded={showOptions}
            aria-controls={listId}
            aria-autocomplete='list'
            aria-activedescendant={chosen >= 0 ? `${listId}-${chosen}` : undefined}
            aria-invalid={problem !== null && unchanged}
            aria-describedby={problem ? errorId : undefined}
            placeholder={meaning
              ? 'Describe it: payments refused because a pool ran out'
              : 'Search text, or field:value'}
            onChange={(event) => {
              setText(event.target.value);
              setCaret(event.target.selectionStart);
            }}
            onFocus={(event) => setCaret(event.target.selectionStart)}
            onBlur={closeOptions}
            onScroll={(event) => {
              mirror.current!.scrollLeft = event.currentTarget.scrollLeft;
            }}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return;
              if (event.key === 'Enter') {
                event.preventDefault();
                const option = options[chosen];
                if (option && showOptions && !event.ctrlKey && !event.metaKey) take(option);
                else run();
              } else if (event.key === 'Tab' && !event.shiftKey && showOptions && chosen >= 0) {
                event.preventDefault();
                take(options[chosen]!);
              } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && showOptions) {
                event.preventDefault();
                const step = event.key === 'ArrowDown' ? 1 : -1;
                // One place, -1, is the text itself.
                setChosen(((chosen + 1 + step + options.length + 1) % (options.length + 1)) - 1);
              } else if (event.key === 'ArrowDown') {
                event.preventDefault();
                setCaret(event.currentTarget.selectionStart);
              } else if (event.key === 'Escape' && showOptions) {
                event.preventDefault();
                closeOptions();
              } else if (event.key === 'Backspace' && event.currentTarget.selectionEnd === 0 && clauses.length > 0) {
                event.preventDefault();
                asText(clauses.at(-1)!);
              }
            }}
          />
        </div>
      </div>
      {(text || clauses.length > 0) && (
        <button
          type='button'
          className='ib sm'
          aria-label='Clear the query'
          onClick={() => {
            setText('');
            run('', []);
          }}
        >
          <Icon name='x' size={14} />
        </button>
      )}
      {unchanged
        ? <kbd className='hide-s' aria-hidden='true'>/</kbd>
        : (
          <button type='button' className='q-run' onClick={() => run()} title='Run (Enter)'>
            Run <Icon name='corner-down-left' size={12} />
          </button>
        )}
      <ul className='pop options' id={listId} role='listbox' aria-label='Suggestions' hidden={!showOptions}>
        {options.map((option, index) => (
          <li
            key={option.key}
            id={`${listId}-${index}`}
            role='option'
            aria-selected={index === chosen}
            onPointerDown={(event) => {
              event.preventDefault();
              take(option);
            }}
          >
            {/* icons: history tag equal */}
            <Icon name={option.kind === 'history' ? 'history' : option.kind === 'field' ? 'tag' : 'equal'} size={13} />
            <span>{option.text}</span>
            <small>{option.note}</small>
          </li>
        ))}
      </ul>
      {problem && unchanged && (
        <p id={errorId} className='q-error' role='alert'>
          <b>{problem.title}</b>
          {problem.detail && ` ${problem.detail}`}
          {problem.expected && !problem.detail.includes(problem.expected) && ` Expected ${problem.expected}.`}
        </p>
      )}
    </div>
  );
});

/** What typing and pills together mean, with freshly typed filters taken as pills. */
function normalize(clauses: readonly Clause[], text: string): string {
  const whole = splitQuery(joinQuery(clauses, text));
  return joinQuery(whole.clauses, whole.text);
}

const optionsMax = 10;

async function complete(
  text: string,
  caret: number,
  clauses: readonly Clause[],
  history: readonly string[],
  suggest: Suggestions,
  signal: AbortSignal,
): Promise<Option[]> {
  const at = completingAt(text, caret);
  const pills = joinQuery(clauses, '');
  if (at.field === null && at.typed === '' && text.trim() === '') {
    return history.slice(0, 8).map((query) => ({
      key: `h${query}`,
      text: query,
      note: 'earlier query',
      kind: 'history',
      apply: { text: query, caret: query.length, run: true },
    }));
  }
  if (filterOf(text).length < at.start && at.field === null) return [];
  const replaced = (inserted: string): { text: string; caret: number } => ({
    text: text.slice(0, at.start) + inserted + text.slice(at.end),
    caret: at.start + inserted.length,
  });
  const typed = at.typed.toLowerCase();
  if (at.field !== null) {
    const values = await suggest.values(withoutField(pills, at.field), at.field, signal);
    return rank(values, typed).map((each) => ({
      key: `v${each.value}`,
      text: each.value === '' ? '(empty)' : each.value,
      note: compact(each.hits),
      kind: 'value',
      apply: {
        ...replaced(`${at.lead}${quote(at.field!)}:=${each.value === '' ? '""' : quote(each.value)} `),
        run: false,
      },
    }));
  }
  if (!/^[\w.@$/-]+$/.test(typed)) return [];
  const names = await suggest.names(pills, signal);
  return rank(
    names.filter((each) => !each.value.startsWith('_') || each.value === '_msg' || typed.startsWith('_')),
    typed,
  )
    .map((each) => ({
      key: `f${each.value}`,
      text: each.value,
      note: compact(each.hits),
      kind: 'field',
      apply: { ...replaced(`${at.lead}${quote(each.value)}:`), run: false },
    }));
}

/** Those that begin with what was typed, then those that contain it, the frequent first. */
function rank(list: readonly ValueCount[], typed: string): ValueCount[] {
  const place = (each: ValueCount): number => {
    const value = each.value.toLowerCase();
    return value.startsWith(typed) ? 0 : value.includes(typed) ? 1 : 2;
  };
  return list.filter((each) => place(each) < 2)
    .sort((left, right) => place(left) - place(right) || right.hits - left.hits)
    .slice(0, optionsMax);
}
