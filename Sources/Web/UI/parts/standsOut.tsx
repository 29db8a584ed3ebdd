import { type Insight } from '../model/insights.ts';
import { compact } from '../model/numbers.ts';
import { withoutSlots } from '../model/segments.ts';
import { Icon } from './icon.tsx';

/** At most three things that changed against the window before: a sentence and one click each. */
export function StandsOut({ insights, onChoose, onDismiss }: {
  insights: readonly Insight[];
  onChoose: (insight: Insight) => void;
  onDismiss: (insight: Insight) => void;
}) {
  return (
    <div className='insights' role='group' aria-label='What stands out'>
      <span className='ins-h'>
        <Icon name='sparkles' size={14} /> <span className='hide-s'>Stands out</span>
      </span>
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
