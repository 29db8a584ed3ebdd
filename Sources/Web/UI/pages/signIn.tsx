import { useState } from 'react';
import * as api from '../api.ts';
import { Icon } from '../parts/icon.tsx';
import { Brand, Ridge } from '../parts/rail.tsx';
import { problemOf } from '../resource.ts';
import { titled } from './shared.ts';

/** Shown while the server asks for a credential; afterwards the page that was wanted. */
export function SignInPage() {
  const [key, setKey] = useState('');
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<api.Problem | null>(null);
  titled('Sign in');
  const submit = async (): Promise<void> => {
    setBusy(true);
    api.keepKey(key.trim());
    try {
      await api.session();
      api.signedIn();
    } catch (error) {
      api.keepKey(null);
      setProblem(problemOf(error));
      setBusy(false);
    }
  };
  return (
    <main className='signin' id='main'>
      <div className='signin-side'>
        <Brand />
        <Ridge />
      </div>
      <form
        className='signin-form'
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <h1 tabIndex={-1}>Sign in</h1>
        <p>
          This server asks for an API key. The first one was printed where it was started, and begins with{' '}
          <code>tlk_</code>.
        </p>
        {/* Password managers file a secret under a name. */}
        <input type='text' autoComplete='username' value='timberline' readOnly hidden />
        <label htmlFor='key'>API key</label>
        <div className='secret'>
          <input
            id='key'
            className='input mono'
            type={shown ? 'text' : 'password'}
            autoComplete='current-password'
            autoCapitalize='off'
            spellCheck={false}
            autoFocus
            required
            value={key}
            aria-invalid={problem !== null}
            aria-describedby='key-note'
            onChange={(event) => {
              setKey(event.target.value);
              setProblem(null);
            }}
          />
          <button
            type='button'
            className='ib'
            aria-pressed={shown}
            aria-label='Show the key'
            onClick={() => setShown(!shown)}
          >
            {shown ? <Icon name='eye-off' size={16} /> : <Icon name='eye' size={16} />}
          </button>
        </div>
        {problem && (
          <p className='field-error' role='alert'>
            <Icon name='triangle-alert' size={14} /> {problem.status === 401
              ? 'This key is not valid here. Check that it is complete and was not revoked.'
              : `${problem.title}. ${problem.detail}`}
          </p>
        )}
        <button type='submit' className='btn primary large' disabled={busy || !key.trim()}>
          {busy ? 'Checking…' : 'Sign in'}
        </button>
        <p id='key-note' className='note'>The key stays in this tab and is forgotten when it is closed.</p>
      </form>
    </main>
  );
}
