import { useState } from 'react';
import {
  absolute,
  clock,
  day,
  describe,
  fromField,
  hourMinute,
  isRelative,
  parseTime,
  presets,
  type Range,
  resolve,
  sameDay,
  toField,
  type Zone,
  zoneName,
} from '../model/time.ts';
import { Icon } from './icon.tsx';
import { Popover } from './popover.tsx';
import { Segmented } from './segmented.tsx';

/** The window of time: presets, a typed time, a calendar, and the zone it is shown in. */
export function TimeRange({ range, start, end, zone, now, open, onOpen, onChange, onZone }: {
  range: Range;
  start: number;
  end: number;
  zone: Zone;
  now: number;
  open: boolean;
  onOpen: (open: boolean) => void;
  onChange: (range: Range) => void;
  onZone: (zone: Zone) => void;
}) {
  return (
    <Popover
      open={open}
      onOpen={onOpen}
      align='end'
      label='Time range (t)'
      className='time'
      button={
        <>
          <Icon name='clock' size={14} /> <span>{describe(range, start, end, zone, now)}</span>
          {isRelative(range) && sameDay(start, end, zone) && (
            <small className='hide-m'>{hourMinute(start, zone)} – {hourMinute(end, zone)}</small>
          )}
          <Icon name='chevron-down' size={13} />
        </>
      }
    >
      {(close) => (
        <TimeForm
          {...{ range, start, end, zone, now, onZone }}
          onChange={(chosen) => {
            onChange(chosen);
            close();
          }}
        />
      )}
    </Popover>
  );
}

function TimeForm({ range, start, end, zone, now, onChange, onZone }: {
  range: Range;
  start: number;
  end: number;
  zone: Zone;
  now: number;
  onChange: (range: Range) => void;
  onZone: (zone: Zone) => void;
}) {
  const [typed, setTyped] = useState('');
  const [from, setFrom] = useState(toField(start, zone));
  const [to, setTo] = useState(toField(end, zone));
  const parsed = parseTime(typed, now, zone);
  const [left, right] = [fromField(from, zone), fromField(to, zone)];
  const ordered = left !== null && right !== null && left < right;
  const preview = parsed &&
    [resolve(parsed.from, now)!, resolve(parsed.to, now)!].map((time) =>
      `${day(time, zone, false)} ${clock(time, zone).slice(0, 8)}`
    ).join(' – ');
  return (
    <div className='timeform'>
      <form
        className='timeform-typed'
        onSubmit={(event) => {
          event.preventDefault();
          if (parsed) onChange(parsed);
        }}
      >
        <label htmlFor='time-typed'>Type a time</label>
        <input
          id='time-typed'
          data-autofocus
          className='input mono'
          placeholder='2h, yesterday 9-11, or paste a timestamp'
          value={typed}
          autoComplete='off'
          spellCheck={false}
          aria-describedby='time-preview'
          aria-invalid={typed !== '' && !parsed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <p id='time-preview' className='timeform-hint' role='status'>
          {typed === '' ? ' ' : preview ?? 'Not a time yet. Try 90m, today, 13:00-14:30 or 2026-03-18.'}
        </p>
      </form>
      <ul className='timeform-presets' aria-label='Presets'>
        {presets.map((preset) => (
          <li key={preset.from}>
            <button
              type='button'
              aria-pressed={range.from === preset.from && range.to === 'now'}
              onClick={() => onChange({ from: preset.from, to: 'now' })}
            >
              {preset.label}
            </button>
          </li>
        ))}
      </ul>
      <form
        className='timeform-absolute'
        onSubmit={(event) => {
          event.preventDefault();
          if (ordered) onChange(absolute(left, right));
        }}
      >
        <label>
          From
          <input
            className='input'
            type='datetime-local'
            step='1'
            value={from}
            onChange={(event) => setFrom(event.target.value)}
          />
        </label>
        <label>
          To
          <input
            className='input'
            type='datetime-local'
            step='1'
            value={to}
            onChange={(event) => setTo(event.target.value)}
          />
        </label>
        {!ordered && <p className='timeform-hint bad' role='alert'>The start must come before the end.</p>}
        <button type='submit' className='btn' disabled={!ordered}>Use these times</button>
        <div className='timeform-zone'>
          <span>Times in</span>
          <Segmented
            label='Time zone'
            chosen={zone}
            onChoose={(chosen) => {
              onZone(chosen);
              setFrom(toField(start, chosen));
              setTo(toField(end, chosen));
            }}
            options={[
              { value: 'local', label: 'Local', title: zoneName('local') },
              { value: 'utc', label: 'UTC' },
            ]}
          />
          <small>{zoneName(zone)}</small>
        </div>
      </form>
    </div>
  );
}
