import { useSyncExternalStore } from 'react';

interface Note {
  id: number;
  text: string;
}

let notes: Note[] = [];
let next = 0;
const watchers = new Set<() => void>();

function set(value: Note[]): void {
  notes = value;
  watchers.forEach((each) => each());
}

/** Says what was done, for four seconds. */
export function toast(text: string): void {
  const id = next++;
  set([...notes.slice(-2), { id, text }]);
  setTimeout(() => set(notes.filter((each) => each.id !== id)), 4000);
}

export function Toasts() {
  const list = useSyncExternalStore((watcher) => {
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
    };
  }, () => notes);
  return (
    <div className='toasts' role='status' aria-live='polite'>
      {list.map((note) => <p key={note.id} className='toast'>{note.text}</p>)}
    </div>
  );
}

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast('The browser did not allow copying. Select the text and copy it by hand.');
  }
}
