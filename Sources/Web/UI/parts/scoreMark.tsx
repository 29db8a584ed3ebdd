import type { Analysis, Grade } from '../api.ts';
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
  return <GradeMark grade={analysis.severity} score={analysis.severity_score} />;
}

/** How serious: a word, with its score of ten. */
export function GradeMark({ grade, score }: { grade: Grade; score: number | null }) {
  return (
    <span className={`score s-${grade}`}>
      <i className='dot' /> {grade === 'none' ? 'calm' : grade}
      {score !== null && <small>{score.toFixed(1)}</small>}
    </span>
  );
}
