import { lazy, type ReactElement, StrictMode, Suspense, useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import * as api from './api.ts';
import { synchronize } from './clock.ts';
import { useEscape, useKeys } from './keys.ts';
import { NotFoundPage } from './pages/notFound.tsx';
import { SearchPage } from './pages/search.tsx';
import { SignInPage } from './pages/signIn.tsx';
import { Boundary } from './parts/boundary.tsx';
import { type Command, CommandPalette } from './parts/commandPalette.tsx';
import { Icon } from './parts/icon.tsx';
import { Rail } from './parts/rail.tsx';
import { ShortcutHelp } from './parts/shortcutHelp.tsx';
import { ErrorState, Skeleton } from './parts/states.tsx';
import { Toasts } from './parts/toast.tsx';
import { prefer, usePreferences } from './preferences.ts';
import { useConnection, useResource } from './resource.ts';
import { addressOf, go, sections, useAddress } from './router.ts';

const PatternsPage = lazy(() => import('./pages/patterns.tsx'));
const IncidentsPage = lazy(() => import('./pages/incidents.tsx'));
const IncidentPage = lazy(() => import('./pages/incident.tsx'));
const ComparePage = lazy(() => import('./pages/compare.tsx'));
const AnalysesPage = lazy(() => import('./pages/analyses.tsx'));
const AnalysisPage = lazy(() => import('./pages/analysis.tsx'));

function pageFor(path: string): ReactElement {
  if (path === '/' || path === '/search') return <SearchPage />;
  if (path === '/patterns') return <PatternsPage />;
  if (path === '/incidents') return <IncidentsPage />;
  const incident = /^\/incidents\/([^/]+)$/.exec(path);
  if (incident) return <IncidentPage key={incident[1]} id={decodeURIComponent(incident[1]!)} />;
  if (path === '/compare') return <ComparePage />;
  if (path === '/analyses') return <AnalysesPage />;
  const analysis = /^\/analyses\/([^/]+)$/.exec(path);
  if (analysis) return <AnalysisPage key={analysis[1]} id={decodeURIComponent(analysis[1]!)} />;
  return <NotFoundPage path={path} />;
}

/* icons: text-search fingerprint-pattern siren sparkles git-compare sun-moon rows-3 history circle-alert globe */

function App() {
  const { path } = useAddress();
  const preferences = usePreferences();
  const connection = useConnection();
  const session = useResource(connection.signedOut ? null : `session ${connection.generation}`, async (signal) => {
    const found = await api.session(signal);
    synchronize(found.now);
    return found;
  });
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const [railOpen, setRailOpen] = useState(false);
  useEscape(railOpen, () => setRailOpen(false));
  useKeys({
    '?': () => setHelp(true),
    'Mod+k': () => setPalette((open) => !open),
    'g *': () => {},
    ...Object.fromEntries(sections.map((section) => [`g ${section.key}`, () => go(section.path)])),
  });

  useEffect(() => setRailOpen(false), [path]);

  const commands = useMemo((): Command[] => [
    ...sections.map((section) => ({
      id: section.path,
      label: section.label,
      group: 'Pages',
      icon: section.icon,
      keys: `g ${section.key}`,
      run: () => go(section.path),
    })),
    {
      id: 'errors',
      label: 'Search errors of the last hour',
      group: 'Query',
      icon: 'circle-alert',
      run: () => go(addressOf('/search', { q: 'severity:in(error, critical)' })),
    },
    { id: 'new', label: 'New analysis', group: 'Action', icon: 'sparkles', run: () => go('/analyses?new=1') },
    {
      id: 'rising',
      label: 'Rising patterns',
      group: 'Patterns',
      icon: 'fingerprint-pattern',
      run: () => go('/patterns?sort=rising'),
    },
    {
      id: 'compare',
      label: 'Compare the last hour with the one before',
      group: 'Patterns',
      icon: 'git-compare',
      run: () => go('/compare'),
    },
    ...(['system', 'light', 'dark'] as const).map((theme): Command => ({
      id: `theme-${theme}`,
      label: theme === 'system' ? 'Theme as the system' : `${theme === 'light' ? 'Light' : 'Dark'} theme`,
      group: 'Preference',
      icon: 'sun-moon',
      run: () => prefer({ theme }),
    })),
    ...(['compact', 'normal', 'relaxed'] as const).map((density): Command => ({
      id: `density-${density}`,
      label: `${density[0]!.toUpperCase()}${density.slice(1)} rows`,
      group: 'Preference',
      icon: 'rows-3',
      run: () => prefer({ density }),
    })),
    ...(['local', 'utc'] as const).map((zone): Command => ({
      id: `zone-${zone}`,
      label: zone === 'utc' ? 'Times in UTC' : 'Times in local time',
      group: 'Preference',
      icon: 'globe',
      run: () => prefer({ zone }),
    })),
    { id: 'help', label: 'Keyboard shortcuts', group: 'Help', icon: 'keyboard', keys: '?', run: () => setHelp(true) },
    ...preferences.history.map((query): Command => ({
      id: `history-${query}`,
      label: query,
      group: 'Earlier query',
      icon: 'history',
      run: () => go(addressOf('/search', { q: query })),
    })),
  ], [preferences.history]);

  if (connection.signedOut) return <SignInPage />;
  if (!session.data) {
    return (
      <main id='main' className='starting'>
        {session.error
          ? <ErrorState problem={session.error} onRetry={session.reload} />
          : <Skeleton rows={5} label='Starting' />}
      </main>
    );
  }
  return (
    <div className='shell'>
      <a className='skip' href='#main'>Skip to content</a>
      <Rail
        session={session.data}
        path={path === '/' ? '/search' : path}
        preferences={preferences}
        open={railOpen}
        onClose={() => setRailOpen(false)}
        onHelp={() => setHelp(true)}
        onPalette={() => setPalette(true)}
        onSignOut={() => {
          api.keepKey(null);
          location.assign('/');
        }}
      />
      {railOpen && (
        <button
          type='button'
          className='scrim'
          aria-label='Close the menu'
          onClick={() => setRailOpen(false)}
        />
      )}
      <main id='main' className='main' tabIndex={-1}>
        <button
          type='button'
          className='rail-open'
          aria-label='Open the menu'
          aria-expanded={railOpen}
          onClick={() => setRailOpen(true)}
        >
          <Icon name='menu' size={18} />
        </button>
        {!connection.reachable && (
          <div className='offline' role='status'>
            <Icon name='cloud-off' size={14} />{' '}
            The server does not answer. What you see may be old; this heals by itself.
          </div>
        )}
        <Boundary place={path}>
          <Suspense fallback={<Skeleton rows={12} />}>{pageFor(path)}</Suspense>
        </Boundary>
      </main>
      {help && <ShortcutHelp onClose={() => setHelp(false)} />}
      {palette && <CommandPalette commands={commands} onClose={() => setPalette(false)} />}
      <Toasts />
    </div>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
