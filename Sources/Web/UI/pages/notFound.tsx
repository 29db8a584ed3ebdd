import { useEffect } from 'react';
import { EmptyState } from '../parts/states.tsx';
import { Link } from '../parts/link.tsx';
import { titled, useArrival } from './shared.ts';

export function NotFoundPage({ path }: { path: string }) {
  useArrival();
  useEffect(() => titled('Not found'), []);
  return (
    <div className='page'>
      <header className='bar'>
        <h1 tabIndex={-1}>Not found</h1>
      </header>
      <EmptyState
        title='The trail ends here'
        action={<Link className='btn primary' href='/search'>Back to Search</Link>}
      >
        <p>
          There is no page at <code>{path}</code>.
        </p>
      </EmptyState>
    </div>
  );
}
