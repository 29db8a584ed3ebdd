import type { Analysis } from '../api.ts';
import { Icon } from './icon.tsx';

/** The severity of an analysis: a word, with its score of ten; or the state it is in. */
export function ScoreMark({ analysis }: { analysis: Analysis }) {
  if (analysis.status === 'failed') {
    return (
      <span className='score failed'>
        <Icon name='circle-x' size={13} /> failed
      </span>
    );
  }
  if (analysis.status !== 'completed') {
    return (
      <span className='score running'>
        <Icon name='loader-circle' size={13} /> {analysis.status}
      </span>
    );
  }
  return (
    <span className={`score s-${analysis.severity}`}>
      <i className='dot' /> {analysis.severity === 'none' ? 'calm' : analysis.severity}
      {analysis.severity_score !== null && <small>{analysis.severity_score.toFixed(1)}</small>}
    </span>
  );
}
