import { useSyncExternalStore } from 'react';

interface Note {
  id: number;
  text: string;
  undo: (() => void) | undefined;
}

let notes: Note[] = [];
let next = 0;
const watchers = new Set<() => void>();

function set(value: Note[]): void {
  notes = value;
  watchers.forEach((each) => each());
}

const remove = (id: number): void => set(notes.filter((each) => each.id !== id));

/** Says what was done, for four seconds; for eight when it can be undone. */
export function toast(text: string, undo?: () => void): void {
  const id = next++;
  set([...notes.slice(-2), { id, text, undo }]);
  setTimeout(() => remove(id), undo ? 8000 : 4000);
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
      {list.map((note) => (
        <div key={note.id} className='toast'>
          {note.text}
          {note.undo && (
            <button
              type='button'
              onClick={() => {
                remove(note.id);
                note.undo?.();
              }}
            >
              Undo
            </button>
          )}
        </div>
      ))}
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
