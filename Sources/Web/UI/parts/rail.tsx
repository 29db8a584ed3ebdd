import type { Session } from '../api.ts';
import { isPressing, useOpenIncidents } from '../insightFeed.ts';
import { number, plural } from '../model/numbers.ts';
import { effectiveTheme, prefer, type Preferences } from '../preferences.ts';
import { sections } from '../router.ts';
import { Icon } from './icon.tsx';
import { Link } from './link.tsx';

function Logo() {
  return (
    <svg className='logo' viewBox='0 0 28 28' width='26' height='26' aria-hidden='true'>
      <path className='l1' d='M2 23 10.4 8.6a1.6 1.6 0 0 1 2.8 0l3 5.2 1.7-2.7a1.6 1.6 0 0 1 2.7 0L27 23z' />
      <path className='l2' d='m7.6 13.4 2.8-4.8a1.6 1.6 0 0 1 2.8 0l2.2 3.8-2.3 1.7-1.9-1.5-1.6 1.9z' />
      <path className='l3' d='M2 25.4h25' />
    </svg>
  );
}

export function Brand() {
  return (
    <div className='brand'>
      <Logo />
      <span>timberline</span>
    </div>
  );
}

/** Two faint ridges at the foot of the rail. */
export function Ridge() {
  return (
    <svg className='ridge' viewBox='0 0 216 300' preserveAspectRatio='xMidYMax slice' aria-hidden='true'>
      <path d='M0 300V104l20-22 10 8 34-52 16 22 8-8 34 58 20-30 14 18 22-40 38 56v186z' />
      <path d='M0 300V176l26-30 14 14 28-46 20 30 12-12 32 52 22-30 16 20 24-34 22 28v132z' />
    </svg>
  );
}

export function Rail({ session, path, preferences, open, onClose, onHelp, onPalette, onSignOut }: {
  session: Session;
  path: string;
  preferences: Preferences;
  /** On a narrow page the rail is a sheet. */
  open: boolean;
  onClose: () => void;
  onHelp: () => void;
  onPalette: () => void;
  onSignOut: () => void;
}) {
  const theme = effectiveTheme(preferences.theme);
  const pressing = useOpenIncidents().filter(isPressing).length;
  return (
    <nav className={open ? 'rail open' : 'rail'} aria-label='Main'>
      <Brand />
      <div className='ws'>
        <span className='ws-a' aria-hidden='true'>
          {(session.tenant.name || session.tenant.id).slice(0, 1).toUpperCase()}
        </span>
        <span className='ws-t'>
          <b>{session.tenant.name || session.tenant.id}</b>
          <small>{session.mode === 'dev' ? 'local, no sign-in' : 'signed in by key'}</small>
        </span>
      </div>
      <ul className='rail-g'>
        {sections.map((section) => (
          <li key={section.path}>
            <Link
              href={section.path}
              aria-current={path === section.path || path.startsWith(section.path + '/') ? 'page' : undefined}
              onClick={onClose}
            >
              <Icon name={section.icon} size={16} />
              <span>{section.label}</span>
              {section.path === '/incidents' && pressing > 0 && (
                <b className='rail-n' aria-label={`${plural(pressing, 'open incident')}`}>{number(pressing)}</b>
              )}
              <kbd aria-hidden='true'>g {section.key}</kbd>
            </Link>
          </li>
        ))}
      </ul>
      <div className='rail-end'>
        <button type='button' className='rail-k' onClick={onPalette}>
          <Icon name='command' size={14} />
          <span>Go to anything</span>
          <kbd>Ctrl K</kbd>
        </button>
        <div className='rail-foot'>
          <small>Timberline {session.version}</small>
          <span className='sp' />
          {session.mode === 'key' && (
            <button
              type='button'
              className='ib on-rail'
              aria-label='Forget the key and sign out'
              title='Forget the key and sign out'
              onClick={onSignOut}
            >
              <Icon name='log-out' size={15} />
            </button>
          )}
          <button
            type='button'
            className='ib on-rail'
            aria-label='Keyboard shortcuts (?)'
            title='Keyboard shortcuts (?)'
            onClick={onHelp}
          >
            <Icon name='keyboard' size={15} />
          </button>
          <button
            type='button'
            className='ib on-rail'
            aria-label={theme === 'dark' ? 'Use the light theme' : 'Use the dark theme'}
            title={theme === 'dark' ? 'Use the light theme' : 'Use the dark theme'}
            onClick={() => prefer({ theme: theme === 'dark' ? 'light' : 'dark' })}
          >
            {theme === 'dark' ? <Icon name='sun' size={15} /> : <Icon name='moon' size={15} />}
          </button>
        </div>
      </div>
      <Ridge />
    </nav>
  );
}
