import { useEffect } from 'react';
import * as api from '../api.ts';
import { now } from '../clock.ts';
import { refreshInsights, useLiveInsights } from '../insightFeed.ts';
import { useKeys } from '../keys.ts';
import {
  around,
  endOf,
  kinds,
  lengthText,
  origins,
  patternQuery,
  rate,
  standing,
  standingWords,
  whenText,
} from '../model/incidents.ts';
import { number, plural } from '../model/numbers.ts';
import { slots } from '../model/segments.ts';
import { clock, DAY, moment, type Zone, zoneName } from '../model/time.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Message } from '../parts/message.tsx';
import { Popover } from '../parts/popover.tsx';
import { GradeMark } from '../parts/scoreMark.tsx';
import { EmptyState, ErrorState, Skeleton } from '../parts/states.tsx';
import { copy, toast } from '../parts/toast.tsx';
import { usePreferences } from '../preferences.ts';
import { problemOf, useResource } from '../resource.ts';
import { addressOf } from '../router.ts';
import { titled, useArrival } from './shared.ts';

const done: Record<api.IncidentStatus, string> = {
  open: 'Incident reopened',
  acknowledged: 'Incident acknowledged',
  resolved: 'Incident resolved',
  muted: 'Incident muted',
};

/* icons: circle-check check volume-x rotate-ccw */

interface Step {
  status: api.IncidentStatus;
  label: string;
  icon: IconName;
}

const acknowledge: Step = { status: 'acknowledged', label: 'Acknowledge', icon: 'check' };
const resolve: Step = { status: 'resolved', label: 'Resolve', icon: 'circle-check' };
const mute: Step = { status: 'muted', label: 'Mute', icon: 'volume-x' };
const reopen: Step = { status: 'open', label: 'Reopen', icon: 'rotate-ccw' };

/** What may be said next; the first is the likely one. */
const steps: Record<api.IncidentStatus, Step[]> = {
  open: [acknowledge, resolve, mute],
  acknowledged: [resolve, mute, reopen],
  resolved: [reopen],
  muted: [reopen],
};

/** What is over wants a last word, not somebody to look into it. */
const stepsOf = (incident: api.Incident): Step[] =>
  incident.state === 'closed' && incident.status === 'open' ? [resolve, acknowledge, mute] : steps[incident.status];

/** One incident: how serious and why, what changed, where it likely began, where it shows, and the records. */
export default function IncidentPage({ id }: { id: string }) {
  const { zone } = usePreferences();
  const found = useResource(`incident ${id}`, (signal) => api.incident(id, signal));
  const said = useResource(`said ${id}`, async (signal) => {
    const [suppressions, feedback] = await Promise.all([api.suppressions(signal), api.feedback(signal)]);
    return { suppressions, feedback };
  });
  const incident = found.data;
  useLiveInsights(() => {
    found.reload();
    said.reload();
  });
  useArrival();
  useEffect(() => titled(incident?.title ?? 'Incident', 'Incidents'), [incident?.title]);

  const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      const problem = problemOf(error);
      toast(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title);
      return false;
    }
  };
  const setStatus = async (status: api.IncidentStatus, undoTo: api.IncidentStatus | null): Promise<void> => {
    if (!await attempt(() => api.setIncidentStatus(id, status))) return;
    toast(done[status], undoTo === null ? undefined : () => setStatus(undoTo, null));
    found.reload();
    refreshInsights();
  };
  const press = (step: Step): void => {
    if (incident && incident.state !== 'merged' && stepsOf(incident).includes(step)) {
      setStatus(step.status, incident.status);
    }
  };
  useKeys({ a: () => press(acknowledge), r: () => press(resolve), m: () => press(mute) });

  const targets = incident ? targetsOf(incident) : [];
  const quiet = async (reason: 'snoozed' | 'expected', end: string, words: string): Promise<void> => {
    const made: api.Suppression[] = [];
    const worked = await attempt(async () => {
      for (const target of targets) made.push(await api.suppress({ reason, end, ...target }));
    });
    said.reload();
    if (worked) {
      toast(words, async () => {
        await attempt(() => Promise.all(made.map((each) => api.endSuppression(each.id))));
        said.reload();
      });
    }
  };
  const judge = async (verdict: 'no_problem' | 'none', undo: boolean): Promise<void> => {
    const worked = await attempt(() =>
      Promise.all(targets.map((each) => api.setFeedback(each.workload, each.pattern, verdict)))
    );
    said.reload();
    if (!worked) return;
    toast(
      verdict === 'none' ? 'Taken back' : 'Noted: it counts for less here from now on',
      undo ? () => judge('none', false) : undefined,
    );
  };

  return (
    <div className='page'>
      <header className='bar'>
        <Link href='/incidents' className='crumb'>Incidents</Link>
        <Icon name='chevron-right' size={13} />
        <span className='crumb-here'>{incident ? whenText(incident, zone, now()) : id}</span>
        <span className='sp' />
        {incident && (
          <>
            <Link className='btn ghost hide-s' href={comparisonOf(incident)}>
              <Icon name='git-compare' size={14} /> Before and after
            </Link>
            <button
              type='button'
              className='btn ghost'
              onClick={() => copy(asMarkdown(incident), 'Incident as Markdown')}
            >
              <Icon name='copy' size={14} /> <span className='hide-s'>Copy as Markdown</span>
            </button>
            <Link className='btn' href={searchOf(incident, '')}>
              <Icon name='text-search' size={14} /> <span className='hide-s'>Search this window</span>
            </Link>
          </>
        )}
      </header>
      <div className='panel scroll' tabIndex={0} role='region' aria-label='Incident'>
        {!incident
          ? found.error
            ? found.error.status === 404
              ? (
                <EmptyState
                  title='No such incident'
                  action={<Link className='btn' href='/incidents'>All incidents</Link>}
                >
                  <p>What is over is kept for 90 days.</p>
                </EmptyState>
              )
              : <ErrorState problem={found.error} onRetry={found.reload} />
            : <Skeleton rows={12} label='Loading the incident' />
          : (
            <article className='report incident'>
              {found.error && <ErrorState compact problem={found.error} onRetry={found.reload} />}
              <Head incident={incident} zone={zone} />
              {incident.state === 'merged'
                ? (
                  <p className='note-bar'>
                    It turned out to be part of another.{' '}
                    {incident.merged_into && (
                      <Link href={`/incidents/${incident.merged_into}`}>Open the whole incident</Link>
                    )}
                  </p>
                )
                : (
                  <div className='row-a'>
                    {stepsOf(incident).map((step, index) => (
                      <button
                        key={step.status}
                        type='button'
                        className={index === 0 && step !== reopen ? 'btn primary' : 'btn'}
                        onClick={() => press(step)}
                      >
                        <Icon name={step.icon} size={14} /> {step.label}
                      </button>
                    ))}
                    {targets.length > 0 && (
                      <QuietMenu
                        targets={targets}
                        onSnooze={() => quiet('snoozed', 'now+1h', 'Snoozed for an hour')}
                        onExpected={() => quiet('expected', 'now+7d', 'Expected: not told of for 7 days')}
                        onNoProblem={() => judge('no_problem', true)}
                      />
                    )}
                  </div>
                )}
              {said.data && (
                <Said
                  said={said.data}
                  targets={targets}
                  zone={zone}
                  onEnd={async (suppression) => {
                    if (await attempt(() => api.endSuppression(suppression.id))) toast('It is told of again');
                    said.reload();
                  }}
                  onTakeBack={() => judge('none', false)}
                />
              )}
              <section className='ai-card' aria-label='What changed'>
                <h2>
                  <Icon name='sparkles' size={14} /> What changed
                </h2>
                <ul className='sentences'>
                  {incident.changes.map((each) => <li key={each}>{each}</li>)}
                </ul>
                {incident.normal_again.length > 0 && (
                  <>
                    <h3>Normal again</h3>
                    <ul className='sentences again'>
                      {incident.normal_again.map((each) => <li key={each}>{each}</li>)}
                    </ul>
                  </>
                )}
                <p className='ai-f'>
                  Concluded by arithmetic on counts and patterns, on this machine. Its records are below.
                  {zone === 'local' && new Date().getTimezoneOffset() !== 0 && ' Times within its sentences are UTC.'}
                </p>
              </section>
              <Origins incident={incident} zone={zone} />
              <Where incident={incident} />
              <EvidenceList incident={incident} zone={zone} />
              <AnomalyTable incident={incident} zone={zone} />
            </article>
          )}
      </div>
    </div>
  );
}

type Target = { workload: string; pattern?: number; kinds?: string };

/** What a word about the incident is about: its likely origins, or what is most serious in it. */
function targetsOf(incident: api.Incident): Target[] {
  const roots = origins(incident.candidates).roots;
  const from: Target[] = roots.length > 0 ? roots : incident.anomalies.slice(0, 1);
  return from.map(({ workload, pattern }) => {
    if (pattern !== undefined) return { workload, pattern };
    // Of a workload as a whole, only what it did: the rest of it is still told of.
    const own = incident.anomalies.filter((each) => each.workload === workload && each.pattern === undefined);
    return { workload, kinds: [...new Set(own.map((each) => each.kind))].join(',') };
  });
}

const isSame = (left: { workload?: string; pattern?: number }, right: Target): boolean =>
  left.workload === right.workload && left.pattern === right.pattern;

function searchOf(incident: api.Incident, query: string, record?: string): string {
  return addressOf('/search', { q: query, ...around(incident), record });
}

/** From the onset on against as long before it. */
function comparisonOf(incident: api.Incident): string {
  return addressOf('/compare', {
    from: incident.onset,
    to: incident.state === 'open' ? 'now' : new Date(endOf(incident, now())).toISOString(),
  });
}

function Head({ incident, zone }: { incident: api.Incident; zone: Zone }) {
  const stands = standing(incident);
  const at = now();
  return (
    <div className='report-h'>
      <h1 tabIndex={-1}>
        <Message segments={slots(incident.title)} />
      </h1>
      <p className='report-f'>
        <GradeMark grade={incident.severity} score={incident.severity_score} />
        <span className={`stand ${stands}`} title={standingWords[stands]}>{stands}</span>
        <span>
          {whenText(incident, zone, at)} {zoneName(zone)}, {lengthText(incident, at)}
        </span>
        {incident.state === 'closed' && <span>the records are back to normal</span>}
        {incident.status_at && incident.status !== 'open' && (
          <span>{incident.status} {moment(Date.parse(incident.status_at), zone, at)}</span>
        )}
      </p>
      {incident.severity_reasons.length > 0 && (
        <p className='because'>
          <span>Why {incident.severity === 'none' ? 'calm' : incident.severity}</span>
          {incident.severity_reasons.map((each) => <span key={each} className='reason'>{each}</span>)}
        </p>
      )}
    </div>
  );
}

function QuietMenu({ targets, onSnooze, onExpected, onNoProblem }: {
  targets: readonly Target[];
  onSnooze: () => void;
  onExpected: () => void;
  onNoProblem: () => void;
}) {
  const names = [...new Set(targets.map((each) => each.workload))].join(', ');
  return (
    <Popover
      role='menu'
      label='Not now'
      className='btn'
      button={
        <>
          <Icon name='bell-off' size={14} /> Not now <Icon name='chevron-down' size={13} />
        </>
      }
    >
      {(close) => (
        <div className='menu'>
          <p className='menu-note'>What it likely began with, in {names}</p>
          <button type='button' role='menuitem' onClick={() => (onSnooze(), close())}>
            <Icon name='clock' size={14} /> Snooze for an hour
          </button>
          <button type='button' role='menuitem' onClick={() => (onExpected(), close())}>
            <Icon name='calendar-check' size={14} /> Expected, for 7 days
          </button>
          <button type='button' role='menuitem' onClick={() => (onNoProblem(), close())}>
            <Icon name='thumbs-down' size={14} /> Not a problem here
          </button>
        </div>
      )}
    </Popover>
  );
}

/** What people said of the same pattern before, and how to take it back. */
function Said({ said, targets, zone, onEnd, onTakeBack }: {
  said: { suppressions: api.Suppression[]; feedback: api.Feedback[] };
  targets: readonly Target[];
  zone: Zone;
  onEnd: (suppression: api.Suppression) => void;
  onTakeBack: () => void;
}) {
  const at = now();
  const holding = said.suppressions.filter((each) =>
    Date.parse(each.start) <= at && at < Date.parse(each.end) && targets.some((target) => isSame(each, target))
  );
  const harmless = said.feedback.some((each) => each.points < 0 && targets.some((target) => isSame(each, target)));
  return (
    <>
      {holding.map((each) => (
        <p key={each.id} className='note-bar'>
          <Icon name='bell-off' size={14} />
          <span>
            {each.reason === 'snoozed' ? 'Snoozed' : each.reason === 'expected' ? 'Expected' : 'Maintenance'} until{' '}
            {moment(Date.parse(each.end), zone, at)} in {each.workload}
            {Date.parse(each.end) - at < DAY && ': anomalies of this pattern are not told of'}
          </span>
          <button type='button' className='btn sm ghost' onClick={() => onEnd(each)}>End now</button>
        </p>
      ))}
      {harmless && (
        <p className='note-bar'>
          <Icon name='thumbs-down' size={14} />
          <span>Somebody said that this is not a problem here. It counts for less from then on.</span>
          <button type='button' className='btn sm ghost' onClick={onTakeBack}>Take back</button>
        </p>
      )}
    </>
  );
}

function Origins({ incident, zone }: { incident: api.Incident; zone: Zone }) {
  const { roots, explained } = origins(incident.candidates);
  if (incident.candidates.length === 0) return null;
  const row = (each: api.Candidate, root: boolean) => (
    <li key={`${each.workload} ${each.pattern}`} className={root ? 'origin root' : 'origin'}>
      <p className='origin-h'>
        {root ? <span className='kind'>likely origin</span> : <Icon name='corner-down-right' size={13} />}
        <b>{each.workload}</b>
        <Link href={searchOf(incident, patternQuery(each.pattern))} title='Show its records'>
          <code>
            {each.pattern === undefined ? 'the workload as a whole' : <Message segments={slots(each.text)} />}
          </code>
        </Link>
        <time>since {moment(Date.parse(each.onset), zone, now())}</time>
      </p>
      <p className='cluster-f'>{each.reasons.map((reason) => <span key={reason}>{reason}</span>)}</p>
    </li>
  );
  return (
    <section>
      <h2 className='report-s'>Where it likely began</h2>
      <ol className='clusters' aria-label='Likely origins'>
        {roots.map((each) => row(each, true))}
        {explained.map((each) => row(each, false))}
      </ol>
    </section>
  );
}

function Where({ incident }: { incident: api.Incident }) {
  const names = (list: readonly string[]) => (
    <>
      {list.slice(0, 12).map((each) => <code key={each}>{each}</code>)}
      {list.length > 12 && <span>and {number(list.length - 12)} more</span>}
    </>
  );
  return (
    <section>
      <h2 className='report-s'>Where it shows</h2>
      <dl className='where'>
        {incident.namespaces.length > 0 && (
          <div>
            <dt>{incident.namespaces.length === 1 ? 'Namespace' : 'Namespaces'}</dt>
            <dd>{names(incident.namespaces)}</dd>
          </div>
        )}
        <div>
          <dt>{incident.workloads.length === 1 ? 'Workload' : 'Workloads'}</dt>
          <dd>{names(incident.workloads)}</dd>
        </div>
        {incident.pods.length > 0 && (
          <div>
            <dt>
              Pods{' '}
              <small>
                {number(incident.pods.length)}
                {incident.pod_count > 0 && ` of ${number(incident.pod_count)}`}
              </small>
            </dt>
            <dd>{names(incident.pods)}</dd>
          </div>
        )}
        {incident.nodes.length > 0 && (
          <div>
            <dt>{incident.nodes.length === 1 ? 'Node' : 'Nodes'}</dt>
            <dd>{names(incident.nodes)}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}

function EvidenceList({ incident, zone }: { incident: api.Incident; zone: Zone }) {
  if (incident.evidence.length === 0) return null;
  return (
    <section>
      <h2 className='report-s'>
        Evidence <small>{plural(incident.evidence.length, 'record')}</small>
      </h2>
      <ol className='ev boxed' aria-label='Evidence'>
        {incident.evidence.map((each, index) => (
          <li key={each.id}>
            <Link href={searchOf(incident, '', each.id)} title={`Open record ${index + 1}\n${each.workload}`}>
              <b className='cite'>{index + 1}</b>
              <time>{clock(Date.parse(each.time), zone)}</time>
              <span className='ev-w hide-s'>{each.workload}</span>
              <code>{each.message}</code>
            </Link>
          </li>
        ))}
      </ol>
    </section>
  );
}

function AnomalyTable({ incident, zone }: { incident: api.Incident; zone: Zone }) {
  if (incident.anomalies.length === 0) return null;
  const at = now();
  return (
    <section>
      <h2 className='report-s'>
        Anomalies <small>{number(incident.anomalies.length)}</small>
      </h2>
      <div className='boxed-table' tabIndex={0} role='region' aria-label='Anomalies'>
        <table className='table'>
          <thead>
            <tr>
              <th scope='col'>Kind</th>
              <th scope='col'>Pattern and workload</th>
              <th scope='col' className='num' title='Records a minute'>Now/min</th>
              <th scope='col' className='num hide-s' title='Records a minute'>Usual/min</th>
              <th scope='col' className='hide-s'>Since</th>
              <th scope='col'>
                <span className='vh'>Records</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {incident.anomalies.map((each) => {
              const kind = kinds[each.kind];
              return (
                <tr key={each.id} className={each.phase === 'ended' ? 'ended' : undefined}>
                  <td>
                    <span className={`change ${kind.change}`} title={kind.means}>{kind.word}</span>
                  </td>
                  <td className='an-t' title={each.summary}>
                    <code>
                      {each.pattern === undefined
                        ? 'the workload as a whole'
                        : <Message segments={slots(each.pattern_text)} />}
                    </code>
                    <small>
                      {each.workload}
                      {each.value && `, value ${each.value.value}`}
                      {each.suppressed_by && ', not told of'}
                      {each.phase === 'ended' && ', ended'}
                    </small>
                  </td>
                  <td className='num' title={`${number(each.total)} records since, z ${each.z}`}>
                    {rate(each.observed)}
                  </td>
                  <td className='num hide-s' title={`By ${each.baseline}: ${number(each.expected_total)} records`}>
                    {rate(each.expected)}
                  </td>
                  <td className='hide-s a-window'>{moment(Date.parse(each.onset), zone, at)}</td>
                  <td>
                    <Link
                      className='ib sm'
                      href={searchOf(incident, patternQuery(each.pattern))}
                      aria-label={`Records of ${each.pattern_text || each.workload}`}
                      title='Show its records'
                    >
                      <Icon name='arrow-right' size={14} />
                    </Link>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function asMarkdown(incident: api.Incident): string {
  const list = (lines: readonly string[]): string[] => lines.map((each) => `- ${each}`);
  const { roots } = origins(incident.candidates);
  return [
    `# ${incident.title}`,
    '',
    `Severity ${incident.severity} (${incident.severity_score} of 10), ${standing(incident)}, from ${incident.onset}` +
    (incident.state === 'open' ? ', going on' : ` to ${incident.last}`),
    '',
    incident.scope,
    '',
    '## What changed',
    '',
    ...list(incident.changes),
    ...(roots.length > 0 ? ['', '## Where it likely began', ''] : []),
    ...list(roots.map((each) => `${each.workload}: \`${each.text}\` (${each.reasons.join(', ')})`)),
    ...(incident.evidence.length > 0 ? ['', '## Evidence', ''] : []),
    ...incident.evidence.map((each, index) => `${index + 1}. ${each.time} \`${each.message.replaceAll('`', "'")}\``),
    '',
  ].join('\n');
}
