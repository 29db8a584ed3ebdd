import { letters, type Severity } from '../model/severity.ts';

/** Three letters in the level's color. */
export function LevelMark({ severity }: { severity: Severity }) {
  return (
    <span className={`lv lvl-${severity}`} title={severity}>
      {letters[severity]}
    </span>
  );
}

export function LevelChip({ severity }: { severity: Severity }) {
  return (
    <span className={`chip lvl-${severity}`}>
      <i className='dot' />
      {severity}
    </span>
  );
}
