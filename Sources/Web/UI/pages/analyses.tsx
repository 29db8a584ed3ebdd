import { useEffect, useState } from 'react';
import * as api from '../api.ts';
import { now } from '../clock.ts';
import { useKeys } from '../keys.ts';
import { number, plural } from '../model/numbers.ts';
import { slots } from '../model/segments.ts';
import { ago, describe, span, type Zone } from '../model/time.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Message } from '../parts/message.tsx';
import { ScoreMark } from '../parts/scoreMark.tsx';
import { EmptyState, ErrorState, Skeleton } from '../parts/states.tsx';
import { toast } from '../parts/toast.tsx';
import { usePreferences } from '../preferences.ts';
import { problemOf, useResource } from '../resource.ts';
import { go, patch, useAddress } from '../router.ts';
import { titled, useArrival } from './shared.ts';

export const isActive = (analysis: api.Analysis): boolean =>
  analysis.status === 'pending' || analysis.status === 'running';

/** What a machine concluded about windows of time, newest first. */
export default function AnalysesPage() {
  const { parameters } = useAddress();
  const { zone } = usePreferences();
  const found = useResource('analyses', (signal) => api.analyses(100, signal));
  const dialog = parameters.get('new') === '1';
  useArrival();
  useEffect(() => titled('Analyses'), []);
  useEffect(() => {
    found.reload();
    // A cached list is shown at once and then brought up to date.
  }, []);
  const active = found.data?.some(isActive) ?? false;
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(found.reload, 1500);
    return () => clearInterval(timer);
  }, [active, found.reload]);
  useKeys({ n: () => patch({ new: '1' }) });
  const remove = async (analysis: api.Analysis): Promise<void> => {
    try {
      await api.deleteAnalysis(analysis.id);
      toast('Analysis deleted');
      found.reload();
    } catch (error) {
      toast(problemOf(error).title);
    }
  };
  return (
    <div className='page'>
      <header className='bar'>
        <h1 tabIndex={-1}>Analyses</h1>
        <span className='sp' />
        <button type='button' className='btn primary' onClick={() => patch({ new: '1' })}>
          <Icon name='plus' size={14} /> New analysis
        </button>
      </header>
      <section className='panel' aria-label='Analyses'>
        {found.error && !found.data
          ? <ErrorState problem={found.error} onRetry={found.reload} />
          : !found.data
          ? <Skeleton rows={8} label='Loading analyses' />
          : found.data.length === 0
          ? (
            <EmptyState
              icon='sparkles'
              title='No analyses yet'
              action={<button type='button' className='btn' onClick={() => patch({ new: '1' })}>Start one</button>}
            >
              <p>
                An analysis groups a window's records into patterns, compares them with the time before, ranks what is
                serious, and says it in words, with records as evidence. It runs here; nothing leaves this server.
              </p>
            </EmptyState>
          )
          : <AnalysisTable list={found.data} zone={zone} onDelete={remove} />}
      </section>
      {dialog && <NewAnalysis onClose={() => patch({ new: null }, 'replace')} />}
    </div>
  );
}

function AnalysisTable({ list, zone, onDelete }: {
  list: readonly api.Analysis[];
  zone: Zone;
  onDelete: (analysis: api.Analysis) => void;
}) {
  return (
    <div className='rows'>
      <table className='table analyses'>
        <thead>
          <tr>
            <th scope='col'>Severity</th>
            <th scope='col'>Finding</th>
            <th scope='col' className='hide-s'>Window</th>
            <th scope='col' className='num hide-m'>Records</th>
            <th scope='col' className='num hide-m'>Patterns</th>
            <th scope='col'>Age</th>
            <th scope='col'>
              <span className='vh'>Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {list.map((each) => {
            const start = Date.parse(each.start);
            const end = Date.parse(each.end);
            return (
              <tr key={each.id}>
                <td>
                  <ScoreMark analysis={each} />
                </td>
                <td className='a-head'>
                  <Link href={`/analyses/${each.id}`}>
                    <Message segments={slots(headline(each))} />
                  </Link>
                  <small>
                    {each.namespace ?? 'All namespaces'}
                    {each.cluster_count > 0 && ` · ${plural(each.cluster_count, 'group')}`}
                  </small>
                </td>
                <td className='hide-s a-window'>
                  {describe({ from: each.start, to: each.end }, start, end, zone, now())}{' '}
                  <small>{span(end - start)}</small>
                </td>
                <td className='num hide-m'>{each.record_count === null ? '–' : number(each.record_count)}</td>
                <td className='num hide-m'>{each.pattern_count === null ? '–' : number(each.pattern_count)}</td>
                <td className='a-age'>{ago(Date.parse(each.created_at), now())}</td>
                <td className='a-act'>
                  <button
                    type='button'
                    className='ib sm'
                    aria-label={`Delete: ${headline(each)}`}
                    title='Delete'
                    onClick={() => onDelete(each)}
                  >
                    <Icon name='trash-2' size={14} />
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function headline(analysis: api.Analysis): string {
  if (analysis.headline) return analysis.headline;
  if (analysis.status === 'failed') return analysis.error ?? 'The analysis failed';
  if (analysis.status === 'completed') return analysis.summary?.split('\n')[0] ?? 'Nothing unusual';
  return analysis.progress.at(-1)?.detail ?? 'Waiting to start';
}

function NewAnalysis({ onClose }: { onClose: () => void }) {
  const [namespace, setNamespace] = useState('');
  const [hours, setHours] = useState('24');
  const [size, setSize] = useState('5');
  const [problem, setProblem] = useState<api.Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const names = useResource('namespaces', async (signal) => {
    const window = { query: '*', start: now() - 168 * 3_600_000, end: now() };
    const names = ['kubernetes.namespace_name', 'namespace'];
    const found = await Promise.all(names.map((name) => api.fieldValues(window, name, 50, signal)));
    return [...new Set(found.flat().map((each) => each.value).filter(Boolean))];
  });
  const hourCount = Number(hours);
  const sizeCount = Number(size);
  const hoursBad = !Number.isInteger(hourCount) || hourCount < 1 || hourCount > 168;
  const sizeBad = !Number.isInteger(sizeCount) || sizeCount < 1 || sizeCount > 100;
  const submit = async (): Promise<void> => {
    if (hoursBad || sizeBad) return;
    setBusy(true);
    try {
      const started = await api.startAnalysis({
        namespace: namespace.trim() || null,
        time_range_hours: hourCount,
        min_cluster_size: sizeCount,
      });
      go(`/analyses/${started.id}`, 'replace');
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title='New analysis' onClose={onClose}>
      <form
        className='form'
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {problem && <ErrorState compact problem={problem} />}
        <div className='field'>
          <label htmlFor='a-namespace'>Namespace</label>
          <input
            id='a-namespace'
            className='input'
            data-autofocus
            list='a-namespaces'
            placeholder='All namespaces'
            autoComplete='off'
            value={namespace}
            onChange={(event) => setNamespace(event.target.value)}
          />
          <datalist id='a-namespaces'>
            {(names.data ?? []).map((each) => <option key={each} value={each} />)}
          </datalist>
        </div>
        <div className='field'>
          <label htmlFor='a-hours'>Hours back from now</label>
          <input
            id='a-hours'
            className='input'
            type='number'
            min={1}
            max={168}
            value={hours}
            aria-invalid={hoursBad}
            aria-describedby='a-hours-note'
            onChange={(event) => setHours(event.target.value)}
          />
          <p id='a-hours-note' className={hoursBad ? 'field-error' : 'note'}>
            From 1 to 168, a week. The same length before it is the comparison.
          </p>
        </div>
        <div className='field'>
          <label htmlFor='a-size'>Smallest group</label>
          <input
            id='a-size'
            className='input'
            type='number'
            min={1}
            max={100}
            value={size}
            aria-invalid={sizeBad}
            aria-describedby='a-size-note'
            onChange={(event) => setSize(event.target.value)}
          />
          <p id='a-size-note' className={sizeBad ? 'field-error' : 'note'}>
            Records that a group needs to be reported, from 1 to 100.
          </p>
        </div>
        <div className='form-a'>
          <button type='button' className='btn ghost' onClick={onClose}>Cancel</button>
          <button type='submit' className='btn primary' disabled={busy || hoursBad || sizeBad}>
            {busy ? 'Starting…' : 'Start'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
