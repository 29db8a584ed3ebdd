import type { Remark } from '../model/incidents.ts';
import { type Insight } from '../model/insights.ts';
import { compact } from '../model/numbers.ts';
import { withoutSlots } from '../model/segments.ts';
import { Icon } from './icon.tsx';
import { Link } from './link.tsx';

const levels = { critical: 'critical', high: 'error', medium: 'warning', low: 'info', none: 'debug' } as const;

/** What the watch holds open, then what changed against the window before: a sentence and one click each. */
export function StandsOut({ remarks, insights, onChoose, onDismiss }: {
  remarks: readonly Remark[];
  insights: readonly Insight[];
  onChoose: (insight: Insight) => void;
  onDismiss: (insight: Insight) => void;
}) {
  return (
    <div className='insights' role='group' aria-label='What stands out'>
      <span className='ins-h'>
        <Icon name='sparkles' size={14} /> <span className='hide-s'>Stands out</span>
      </span>
      {remarks.map((remark) => (
        <span key={remark.key} className='ins found'>
          <Link className='ins-b' href={remark.href} title={remark.detail}>
            <i className={`lvl-${levels[remark.grade]} dot`} />
            <b>{remark.title}</b>
            <span className='ins-t'>{withoutSlots(remark.detail)}</span>
            {remark.figure && <em>{remark.figure}</em>}
            <Icon name='chevron-right' size={12} />
          </Link>
        </span>
      ))}
      {insights.map((insight) => (
        <span key={insight.key} className='ins'>
          <button
            type='button'
            className='ins-b'
            title={`${insight.pattern.text}\n${insight.pattern.count} now, ${insight.pattern.previous_count} in the window before`}
            onClick={() => onChoose(insight)}
          >
            <i className={`lvl-${insight.severity} dot`} />
            <b>{insight.title}</b>
            <span className='ins-t'>{withoutSlots(insight.detail)}</span>
            <em>
              {insight.kind === 'Quiet'
                ? `${compact(insight.pattern.previous_count)} → ${compact(insight.pattern.count)}`
                : `×${compact(insight.pattern.count)}`}
            </em>
          </button>
          <button
            type='button'
            className='ins-x'
            aria-label={`Dismiss: ${insight.title} ${insight.detail}`}
            onClick={() => onDismiss(insight)}
          >
            <Icon name='x' size={11} />
          </button>
        </span>
      ))}
    </div>
  );
}
