import * as api from '../api.ts';
import { byteCount, number } from '../model/numbers.ts';
import { useResource } from '../resource.ts';
import { Dialog } from './dialog.tsx';
import { ErrorState, Skeleton } from './states.tsx';

const blockRows: [keyof api.Explanation['blocks']['pruned'], string][] = [
  ['time', 'outside of the time'],
  ['streams', 'without a stream asked for'],
  ['templates', 'without a template that can match'],
  ['tokens', 'without a word that every match has'],
  ['nothing_left', 'with nothing left by their summary'],
];

function Part({ part }: { part: api.ExplanationPart }) {
  return (
    <li>
      {part.parts ? null : <code>{part.text}</code>}
      {part.known && <small>{part.known}</small>}
      {part.parts && <ol>{part.parts.map((inner, index) => <Part key={index} part={inner} />)}</ol>}
    </li>
  );
}

/** How the query of a window was carried out: it runs once more for it. */
export function ExplainDialog({ window, limit, onClose }: { window: api.Window; limit: number; onClose: () => void }) {
  const key = `explain ${window.query} ${window.start} ${window.end} ${limit}`;
  const found = useResource(key, (signal) => api.explain(window, limit, signal));
  const explanation = found.data;
  const time = (milliseconds: number): string => `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`;
  return (
    <Dialog title='How this query runs' onClose={onClose} wide>
      {found.error
        ? <ErrorState compact problem={found.error} onRetry={found.reload} />
        : !explanation
        ? <Skeleton rows={8} label='Running the query' />
        : (
          <div className='explain'>
            <section>
              <h3>{explanation.stops_early ? 'Newest first, until there are enough' : 'All that match'}</h3>
              <ol>
                <Part part={explanation.filter} />
              </ol>
              {explanation.pipes.map((pipe, index) => <p key={index}>| {pipe}</p>)}
            </section>
            <section>
              <h3>{number(explanation.blocks.total)} blocks</h3>
              <dl>
                {blockRows.filter(([name]) => explanation.blocks.pruned[name] > 0).map(([name, text]) => (
                  <div key={name}>
                    <dt>{number(explanation.blocks.pruned[name])}</dt>
                    <dd>{text}</dd>
                  </div>
                ))}
                <div>
                  <dt>{number(explanation.blocks.summarized)}</dt>
                  <dd>answered by their summary</dd>
                </div>
                <div>
                  <dt>{number(explanation.blocks.not_needed)}</dt>
                  <dd>not needed: newer ones held enough</dd>
                </div>
                <div>
                  <dt>{number(explanation.blocks.opened)}</dt>
                  <dd>opened, {byteCount(explanation.bytes_read)} read</dd>
                </div>
              </dl>
            </section>
            <section>
              <h3>{time(explanation.duration_ms)}</h3>
              <dl>
                {explanation.steps.map((step) => (
                  <div key={step.name}>
                    <dt>{time(step.duration_ms)}</dt>
                    <dd>{step.name}</dd>
                  </div>
                ))}
                <div>
                  <dt>{number(explanation.records.matched)}</dt>
                  <dd>
                    matched of {number(explanation.records.total)}, {number(explanation.records.answered)} answered
                  </dd>
                </div>
              </dl>
            </section>
          </div>
        )}
    </Dialog>
  );
}
