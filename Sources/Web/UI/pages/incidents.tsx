import { useEffect, useRef, useState } from 'react';
import * as api from '../api.ts';
import { now } from '../clock.ts';
import { useLiveInsights } from '../insightFeed.ts';
import { useKeys } from '../keys.ts';
import { byUrgency, lengthText, standing, standingWords, whenText } from '../model/incidents.ts';
import { plural } from '../model/numbers.ts';
import { slots } from '../model/segments.ts';
import { HOUR, type Range, shifted, widened, type Zone } from '../model/time.ts';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Message } from '../parts/message.tsx';
import { GradeMark } from '../parts/scoreMark.tsx';
import { Segmented } from '../parts/segmented.tsx';
import { EmptyState, ErrorState, Skeleton, useLasting } from '../parts/states.tsx';
import { TimeRange } from '../parts/timeRange.tsx';
import { prefer, usePreferences } from '../preferences.ts';
import { useResource } from '../resource.ts';
import { addressOf, patch, useAddress } from '../router.ts';
import { rangeOf, titled, useArrival, useWindow } from './shared.ts';

const firstRange: Range = { from: 'now-24h', to: 'now' };
const shown = 200;

/** What the watch found out of the ordinary, the most urgent first. */
export default function IncidentsPage() {
  const { parameters } = useAddress();
  const { zone } = usePreferences();
  const range = rangeOf(parameters, firstRange);
  const onlyOpen = parameters.get('show') === 'open';
  const [runs, setRuns] = useState(0);
  const [timeOpen, setTimeOpen] = useState(false);
  const window = useWindow('', range, runs);
  // A relative window moves with the clock: its name, not its ends, is what is asked for.
  const found = useResource(
    `incidents ${range.from} ${range.to} ${onlyOpen}`,
    (signal) => api.incidents(window, onlyOpen, shown, signal),
  );
  const connected = useLiveInsights(() => {
    setRuns((each) => each + 1);
    found.reload();
  });
  const dimmed = useLasting(found.loading && !found.current, 300);
  const list = useRef<HTMLDivElement>(null);
  useArrival();
  useEffect(() => titled('Incidents'), []);
  const setRange = (value: Range): void => {
    patch({ from: value.from, to: value.to === 'now' ? null : value.to });
    setRuns((each) => each + 1);
  };
  const move = (step: number): void => {
    const links = [...list.current?.querySelectorAll<HTMLElement>('.a-head a') ?? []];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + step))]?.focus();
  };
  useKeys({
    t: () => setTimeOpen(true),
    j: () => move(1),
    k: () => move(-1),
    z: () => setRange(widened(window.start, window.end, now())),
    'Shift+ArrowLeft': () => setRange(shifted(window.start, window.end, -1)),
    'Shift+ArrowRight': () => setRange(shifted(window.start, window.end, 1)),
  });
  const incidents = byUrgency((found.data ?? []).filter((each) => each.state !== 'merged'));
  return (
    <div className='page'>
      <header className='bar'>
        <h1 tabIndex={-1}>Incidents</h1>
        <span
          className={connected ? 'watching on' : 'watching'}
          title={connected ? 'What changes is shown as it happens' : 'Asked for every 30 s'}
        >
          <i className='pulse' /> <span className='hide-s'>{connected ? 'live' : 'every 30 s'}</span>
        </span>
        <span className='sp' />
        <Link
          className='btn ghost'
          href={addressOf('/compare', { from: parameters.get('from'), to: parameters.get('to') })}
        >
          <Icon name='git-compare' size={14} /> <span className='hide-s'>Compare</span>
        </Link>
        <TimeRange
          range={range}
          start={window.start}
          end={window.end}
          zone={zone}
          now={now()}
          open={timeOpen}
          onOpen={setTimeOpen}
          onChange={setRange}
          onZone={(value) => prefer({ zone: value })}
        />
      </header>
      <section className='panel' aria-label='Incidents of this window' aria-busy={found.loading}>
        {(incidents.length > 0 || onlyOpen) && (
          <div className='panel-h'>
            <p className='said' role='status'>{found.data ? sentence(incidents) : ' '}</p>
            <span className='sp' />
            <Segmented
              label='Which incidents'
              options={[{ value: 'all', label: 'All' }, { value: 'open', label: 'Going on' }]}
              chosen={onlyOpen ? 'open' : 'all'}
              onChoose={(value) => patch({ show: value === 'open' ? value : null }, 'replace')}
            />
          </div>
        )}
        {found.error && found.data && <ErrorState compact problem={found.error} onRetry={found.reload} />}
        {found.error && !found.data
          ? <ErrorState problem={found.error} onRetry={found.reload} />
          : !found.data
          ? <Skeleton rows={8} label='Loading incidents' />
          : incidents.length === 0
          ? <NothingWrong onlyOpen={onlyOpen} />
          : (
            <div ref={list} className={dimmed ? 'rows dim' : 'rows'}>
              <IncidentTable list={incidents} zone={zone} />
              {found.data.length >= shown && (
                <p className='foot-note'>The latest {shown} of this window. A shorter window shows the others.</p>
              )}
            </div>
          )}
      </section>
    </div>
  );
}

function sentence(list: readonly api.Incident[]): string {
  const count = (wanted: string): number => list.filter((each) => standing(each) === wanted).length;
  const [open, taken] = [count('open'), count('acknowledged')];
  const rest = list.length - open - taken;
  const said = [
    open > 0 ? `${plural(open, 'incident')} open` : 'No open incident',
    taken > 0 ? `${taken} acknowledged` : '',
    rest > 0 ? `${rest} over or set aside` : '',
  ];
  return said.filter(Boolean).join(', ') + '.';
}

function IncidentTable({ list, zone }: { list: readonly api.Incident[]; zone: Zone }) {
  const at = now();
  return (
    <table className='table analyses incidents'>
      <thead>
        <tr>
          <th scope='col'>Severity</th>
          <th scope='col'>Incident</th>
          <th scope='col' className='hide-s'>When</th>
          <th scope='col'>Status</th>
        </tr>
      </thead>
      <tbody>
        {list.map((each) => {
          const stands = standing(each);
          return (
            <tr key={each.id} className={`is-${stands}`}>
              <td>
                <GradeMark grade={each.severity} score={each.severity_score} />
              </td>
              <td className='a-head'>
                <Link href={`/incidents/${each.id}`}>
                  <Message segments={slots(each.title)} />
                </Link>
                <small>{each.scope}</small>
                <small className='show-s'>{whenText(each, zone, at)} · {lengthText(each, at)}</small>
              </td>
              <td className='hide-s a-window'>
                {whenText(each, zone, at)} <small>{lengthText(each, at)}</small>
              </td>
              <td>
                <span className={`stand ${stands}`} title={standingWords[stands]}>{stands}</span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Says what was looked at: silence is worth something only when somebody listens. */
function NothingWrong({ onlyOpen }: { onlyOpen: boolean }) {
  const seen = useResource('last hour', (signal) => {
    const end = now();
    return api.patterns({ query: '*', start: end - HOUR, end }, 'count', 1, signal);
  });
  const silent = seen.data?.records === 0;
  return (
    <EmptyState
      title={silent
        ? 'No records to watch in the last hour'
        : onlyOpen
        ? 'Nothing is going on'
        : 'Nothing wrong in this window'}
      action={silent ? undefined : <Link className='btn' href='/patterns'>Look at the patterns</Link>}
    >
      <p>
        Every minute each pattern of each workload is held against its usual rate: new and rare patterns, spikes, drops,
        silences, lasting shifts, values never seen before, deployments. What belongs together becomes one incident
        here.
      </p>
      {seen.data && !silent && (
        <p>
          Watched in the last hour: {plural(seen.data.records, 'record')} in {plural(seen.data.total, 'pattern')}.
        </p>
      )}
    </EmptyState>
  );
}
