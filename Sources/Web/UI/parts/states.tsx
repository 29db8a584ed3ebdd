import { type ReactNode, useEffect, useState } from 'react';
import type { Problem } from '../api.ts';
import { Icon, type IconName } from './icon.tsx';
import { copy } from './toast.tsx';

/* icons: mountain-snow search-x triangle-alert sparkles layers inbox */

/** Says why there is nothing, and offers the one next step. */
export function EmptyState({ icon = 'mountain-snow', title, children, action }: {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className='empty'>
      <Icon name={icon} size={40} />
      <h2>{title}</h2>
      {children && <div className='empty-t'>{children}</div>}
      {action && <div className='empty-a'>{action}</div>}
    </div>
  );
}

/** A problem document in words: title, detail, instance; *Copy* and *Try again*. The rest of the page goes on. */
export function ErrorState({ problem, onRetry, compact = false }: {
  problem: Problem;
  onRetry?: (() => void) | undefined;
  compact?: boolean;
}) {
  const [again, setAgain] = useState(problem.retryAfter ?? 0);
  useEffect(() => {
    if (again <= 0) return;
    const timer = setTimeout(() => setAgain(again - 1), 1000);
    return () => clearTimeout(timer);
  }, [again]);
  const text = [problem.title, problem.detail, problem.instance].filter(Boolean).join('\n');
  return (
    <div className={compact ? 'error compact' : 'error'} role='alert'>
      <Icon name='triangle-alert' size={compact ? 16 : 28} />
      <div className='error-t'>
        <h2>{problem.title}</h2>
        {problem.detail && <p>{problem.detail}</p>}
        {problem.instance && (
          <p className='error-i'>
            Reference <code>{problem.instance}</code>
          </p>
        )}
      </div>
      <div className='error-a'>
        {onRetry && (
          <button type='button' className='btn' onClick={onRetry} disabled={again > 0}>
            {again > 0 ? `Try again in ${again} s` : 'Try again'}
          </button>
        )}
        <button type='button' className='btn ghost' onClick={() => copy(text, 'Problem')}>Copy</button>
      </div>
    </div>
  );
}

/** Gray rows while something loads for the first time. */
export function Skeleton({ rows = 8, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div className='skeleton' role='status' aria-label={label}>
      {Array.from({ length: rows }, (_, index) => <i key={index} style={{ width: `${48 + ((index * 37) % 45)}%` }} />)}
    </div>
  );
}

/** True once `active` has lasted `milliseconds`: waiting shows only when it is felt. */
export function useLasting(active: boolean, milliseconds: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!active) {
      setLasting(false);
      return;
    }
    const timer = setTimeout(() => setLasting(true), milliseconds);
    return () => clearTimeout(timer);
  }, [active, milliseconds]);
  return lasting;
}
