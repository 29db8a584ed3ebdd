import { type ReactNode, useEffect } from 'react';
import * as api from '../api.ts';
import { now } from '../clock.ts';
import { compact, number, plural } from '../model/numbers.ts';
import { slots } from '../model/segments.ts';
import { severityOf } from '../model/severity.ts';
import { clock, describe, moment, span, type Zone } from '../model/time.ts';
import { Icon } from '../parts/icon.tsx';
import { LevelMark } from '../parts/levelMark.tsx';
import { Link } from '../parts/link.tsx';
import { Message } from '../parts/message.tsx';
import { Prose } from '../parts/prose.tsx';
import { ScoreMark } from '../parts/scoreMark.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { EmptyState, ErrorState, Skeleton } from '../parts/states.tsx';
import { copy, toast } from '../parts/toast.tsx';
import { usePreferences } from '../preferences.ts';
import { problemOf, useResource } from '../resource.ts';
import { addressOf, go } from '../router.ts';
import { headline, isActive } from './analyses.tsx';
import { titled, useArrival } from './shared.ts';

/** One analysis: what happened, how serious and why, the groups that matter, and the records that show it. */
export default function AnalysisPage({ id }: { id: string }) {
  const { zone } = usePreferences();
  const found = useResource(`analysis ${id}`, (signal) => api.analysis(id, signal));
  const analysis = found.data;
  const active = analysis ? isActive(analysis) : false;
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(found.reload, 700);
    return () => clearInterval(timer);
  }, [active, found.reload]);
  const title = analysis ? headline(analysis) : 'Analysis';
  useArrival();
  useEffect(() => titled(title, 'Analyses'), [title]);
  const remove = async (): Promise<void> => {
    try {
      await api.deleteAnalysis(id);
      toast(active ? 'Analysis canceled' : 'Analysis deleted');
      go('/analyses');
    } catch (error) {
      toast(problemOf(error).title);
    }
  };
  return (
    <div className='page'>
      <header className='bar'>
        <Link href='/analyses' className='crumb'>Analyses</Link>
        <Icon name='chevron-right' size={13} />
        <span className='crumb-here'>{analysis ? describeWindow(analysis, zone) : id}</span>
        <span className='sp' />
        {analysis && (
          <>
            <button
              type='button'
              className='btn ghost'
              onClick={() => copy(asMarkdown(analysis, zone), 'Analysis as Markdown')}
            >
              <Icon name='copy' size={14} /> <span className='hide-s'>Copy as Markdown</span>
            </button>
            <button type='button' className='btn ghost' onClick={remove}>
              <Icon name='trash-2' size={14} /> <span className='hide-s'>{active ? 'Cancel' : 'Delete'}</span>
            </button>
            <Link className='btn' href={searchOf(analysis, '')}>
              <Icon name='text-search' size={14} /> <span className='hide-s'>Search this window</span>
            </Link>
          </>
        )}
      </header>
      <div className='panel scroll' tabIndex={0} role='region' aria-label='Analysis'>
        {!analysis
          ? found.error
            ? found.error.status === 404
              ? (
                <EmptyState
                  title='No such analysis'
                  action={<Link className='btn' href='/analyses'>All analyses</Link>}
                >
                  <p>It may have been deleted.</p>
                </EmptyState>
              )
              : <ErrorState problem={found.error} onRetry={found.reload} />
            : <Skeleton rows={12} label='Loading the analysis' />
          : (
            <article className='report'>
              <div className='report-h'>
                <h1 tabIndex={-1}>
                  <Message segments={slots(title)} />
                </h1>
                <p className='report-f'>
                  <ScoreMark analysis={analysis} />
                  <span>{describeWindow(analysis, zone)}</span>
                  <span>{analysis.namespace ?? 'All namespaces'}</span>
                  {analysis.record_count !== null && <span>{plural(analysis.record_count, 'record')}</span>}
                  {analysis.pattern_count !== null && <span>{plural(analysis.pattern_count, 'pattern')}</span>}
                </p>
              </div>
              {analysis.status === 'failed' && (
                <div className='error compact' role='alert'>
                  <Icon name='triangle-alert' size={16} />
                  <div className='error-t'>
                    <h2>The analysis failed</h2>
                    <p>{analysis.error}</p>
                  </div>
                </div>
              )}
              {active && <Progress analysis={analysis} />}
              {analysis.summary && (
                <section className='ai-card' aria-label='What happened'>
                  <h2>
                    <Icon name='sparkles' size={14} /> What happened
                  </h2>
                  <Prose text={analysis.summary} />
                  <p className='ai-f'>
                    Concluded by arithmetic on counts and patterns, on this machine.
                    {analysis.findings.length > 0 && ' Each finding below names its records.'}
                  </p>
                </section>
              )}
              {analysis.findings.length > 0 && (
                <section>
                  <h2 className='report-s'>Findings</h2>
                  <ol className='findings'>
                    {numbered(analysis.findings).map(({ finding, first }, index) => (
                      <FindingCard key={index} {...{ finding, first, zone, analysis }} />
                    ))}
                  </ol>
                </section>
              )}
              {analysis.clusters.length > 0 && (
                <section>
                  <h2 className='report-s'>
                    Groups of records <small>{number(analysis.clusters.length)}</small>
                  </h2>
                  <ul className='clusters'>
                    {analysis.clusters.map((cluster) => (
                      <ClusterCard key={cluster.cluster_id} {...{ cluster, analysis, zone }} />
                    ))}
                  </ul>
                </section>
              )}
              {analysis.status === 'completed' && analysis.clusters.length === 0 && analysis.findings.length === 0 && (
                <EmptyState title='Nothing unusual'>
                  <p>
                    {plural(analysis.record_count ?? 0, 'record')} in {plural(analysis.pattern_count ?? 0, 'pattern')}
                    {' '}
                    were compared with the window before: no new patterns, bursts, silences or shifts worth a sentence.
                  </p>
                </EmptyState>
              )}
              {!active && analysis.progress.length > 0 && (
                <details className='checked'>
                  <summary>What was checked</summary>
                  <Progress analysis={analysis} />
                </details>
              )}
            </article>
          )}
      </div>
    </div>
  );
}

function describeWindow(analysis: api.Analysis, zone: Zone): string {
  const start = Date.parse(analysis.start);
  const end = Date.parse(analysis.end);
  return `${describe({ from: analysis.start, to: analysis.end }, start, end, zone, now())} (${span(end - start)})`;
}

function searchOf(analysis: api.Analysis, query: string, record?: string): string {
  return addressOf('/search', { q: query, from: analysis.start, to: analysis.end, record });
}

/** Evidence is numbered through the page, so that a number names one record. */
function numbered(findings: readonly api.Finding[]): { finding: api.Finding; first: number }[] {
  let next = 1;
  return findings.map((finding) => {
    const first = next;
    next += finding.evidence.length;
    return { finding, first };
  });
}

function Progress({ analysis }: { analysis: api.Analysis }) {
  const active = isActive(analysis);
  const steps = analysis.progress;
  return (
    <ol className='steps' aria-live='polite'>
      {steps.map((step, index) => {
        const running = active && index === steps.length - 1;
        return (
          <li key={index} className={running ? 'now' : ''}>
            {running ? <Icon name='loader-circle' size={14} /> : <Icon name='check' size={14} />}
            <span>{step.detail || step.step}</span>
            {step.count !== null && step.count > 0 && <small>{compact(step.count)}</small>}
          </li>
        );
      })}
      {steps.length === 0 && (
        <li className='now'>
          <Icon name='loader-circle' size={14} /> <span>Waiting to start</span>
        </li>
      )}
    </ol>
  );
}

function FindingCard({ finding, first, zone, analysis }: {
  finding: api.Finding;
  first: number;
  zone: Zone;
  analysis: api.Analysis;
}) {
  return (
    <li className={`finding lvl-${levelOf(finding.severity)}`}>
      <h3>
        <Message segments={slots(finding.title)} />
      </h3>
      <p className='finding-m'>
        <span className='kind'>{finding.kind}</span>
        {finding.onset && <span>since {moment(Date.parse(finding.onset), zone, now(), true)}</span>}
      </p>
      <Prose text={finding.detail} />
      {finding.evidence.length > 0 && (
        <ol className='ev' aria-label='Evidence'>
          {finding.evidence.map((each, index) => (
            <li key={each.id}>
              <Link href={searchOf(analysis, '', each.id)} title={`Open record ${first + index}\n${each.stream}`}>
                <b className='cite'>{first + index}</b>
                <time>{clock(Date.parse(each.time), zone)}</time>
                <code>{each.message}</code>
              </Link>
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}

/** A finding's severity may be a level or a rank. */
function levelOf(severity: string): string {
  const ranks: Record<string, string> = {
    critical: 'critical',
    high: 'error',
    medium: 'warning',
    low: 'info',
    none: 'debug',
  };
  return ranks[severity] ?? severityOf(severity);
}

const changes: Record<string, string> = {
  new: 'new in this window',
  burst: 'far more than before',
  silence: 'gone quiet',
  shift: 'a lasting change of rate',
  drop: 'far fewer than usual',
  rare: 'seen on few days before',
  steady: 'as before',
};

function ClusterCard(
  { cluster, analysis, zone }: { cluster: api.AnalysisCluster; analysis: api.Analysis; zone: Zone },
) {
  const level = levelOf(cluster.severity);
  const query = cluster.patterns.length > 0 ? `pattern:in(${cluster.patterns.slice(0, 50).join(', ')})` : '';
  const facts: ReactNode[] = [plural(cluster.size, 'record')];
  if (cluster.rate !== null) {
    facts.push(
      cluster.baseline_rate === null || cluster.change === 'new'
        ? `${rate(cluster.rate)} now`
        : `${rate(cluster.rate)} now, ${rate(cluster.baseline_rate)} before`,
    );
  }
  if (cluster.first_seen) facts.push(`first ${moment(Date.parse(cluster.first_seen), zone, now(), true)}`);
  if (cluster.last_seen) facts.push(`last ${moment(Date.parse(cluster.last_seen), zone, now(), true)}`);
  return (
    <li className={`cluster lvl-${level}`}>
      <div className='cluster-h'>
        <LevelMark severity={severityOf(level)} />
        <h3 title={cluster.label}>
          <Message segments={slots(cluster.label)} />
        </h3>
        <span
          className={`change ${
            cluster.change === 'steady'
              ? 'same'
              : cluster.change === 'silence'
              ? 'down'
              : cluster.change === 'new'
              ? 'new'
              : 'up'
          }`}
          title={changes[cluster.change]}
        >
          {cluster.change}
        </span>
        <Sparkline counts={cluster.counts} width={140} />
      </div>
      <p className='cluster-f'>{facts.map((fact, index) => <span key={index}>{fact}</span>)}</p>
      {cluster.workloads.length > 0 && (
        <p className='cluster-f'>
          {cluster.workloads.slice(0, 6).map((each) => <code key={each}>{each}</code>)}
          {cluster.workloads.length > 6 && <span>and {number(cluster.workloads.length - 6)} more</span>}
        </p>
      )}
      {cluster.reasons.length > 0 && (
        <ul className='reasons' aria-label='Why it is ranked here'>
          {cluster.reasons.map((reason) => <li key={reason}>{reason}</li>)}
        </ul>
      )}
      <details>
        <summary>{plural(cluster.sample_logs.length, 'sample')}</summary>
        <ul className='samples'>
          {cluster.sample_logs.map((sample, index) => (
            <li key={index}>
              <code>{sample}</code>
            </li>
          ))}
        </ul>
      </details>
      {query && (
        <Link className='btn sm' href={searchOf(analysis, query)}>
          Show its records <Icon name='arrow-right' size={13} />
        </Link>
      )}
    </li>
  );
}

/** Records a minute. */
function rate(value: number): string {
  return `${value >= 10 ? number(Math.round(value)) : value.toFixed(1)}/min`;
}

function asMarkdown(analysis: api.Analysis, zone: Zone): string {
  const lines = [
    `# ${headline(analysis)}`,
    '',
    `${describeWindow(analysis, zone)}, severity ${analysis.severity} (${analysis.severity_score ?? '–'} of 10)`,
    '',
  ];
  if (analysis.summary) lines.push(analysis.summary, '');
  for (const { finding, first } of numbered(analysis.findings)) {
    lines.push(`## ${finding.title}`, '', finding.detail, '');
    finding.evidence.forEach((each, index) =>
      lines.push(`${first + index}. ${each.time} \`${each.message.replaceAll('`', "'")}\``)
    );
    lines.push('');
  }
  for (const cluster of analysis.clusters) {
    lines.push(`- ${cluster.label}: ${plural(cluster.size, 'record')}, ${cluster.change}`);
  }
  return lines.join('\n').trim() + '\n';
}
