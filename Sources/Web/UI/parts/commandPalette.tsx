import { useEffect, useMemo, useRef, useState } from 'react';
import { Dialog } from './dialog.tsx';
import { Icon, type IconName } from './icon.tsx';

export interface Command {
  id: string;
  label: string;
  group: string;
  icon: IconName;
  keys?: string;
  run: () => void;
}

/** Every letter in order, words' beginnings first. Higher is nearer; null is no match. */
export function nearness(label: string, typed: string): number | null {
  const text = label.toLowerCase();
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return 0;
  const at = text.indexOf(wanted);
  if (at >= 0) return 100 - at + (at === 0 || text[at - 1] === ' ' ? 50 : 0);
  let position = -1;
  let gaps = 0;
  for (const letter of wanted) {
    const next = text.indexOf(letter, position + 1);
    if (next < 0) return null;
    gaps += next - position - 1;
    position = next;
  }
  return 20 - gaps;
}

export function CommandPalette({ commands, onClose }: { commands: readonly Command[]; onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(
    () =>
      commands
        .map((command) => ({ command, nearness: nearness(command.label, typed) }))
        .filter((each): each is { command: Command; nearness: number } => each.nearness !== null)
        .sort((left, right) => right.nearness - left.nearness)
        .slice(0, 40)
        .map((each) => each.command),
    [commands, typed],
  );
  useEffect(() => setChosen(0), [typed]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  const take = (command: Command | undefined): void => {
    if (!command) return;
    onClose();
    command.run();
  };
  return (
    <Dialog title='Go to anything' onClose={onClose} bare>
      <div className='palette'>
        <div className='palette-q'>
          <Icon name='search' size={16} />
          <input
            data-autofocus
            value={typed}
            placeholder='Page, query or action'
            aria-label='Page, query or action'
            role='combobox'
            aria-expanded='true'
            aria-controls='palette-list'
            aria-activedescendant={found[chosen] ? `palette-${chosen}` : undefined}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => {
              const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
              if (step !== undefined && found.length > 0) {
                event.preventDefault();
                setChosen((chosen + step + found.length) % found.length);
              } else if (event.key === 'Enter') {
                event.preventDefault();
                take(found[chosen]);
              }
            }}
          />
        </div>
        <ul ref={list} id='palette-list' role='listbox' aria-label='Commands'>
          {found.map((command, index) => (
            <li
              key={command.id}
              id={`palette-${index}`}
              role='option'
              aria-selected={index === chosen}
              onPointerMove={() => setChosen(index)}
              onClick={() => take(command)}
            >
              <Icon name={command.icon} size={14} />
              <span>{command.label}</span>
              {command.keys ? <kbd>{command.keys}</kbd> : <small>{command.group}</small>}
            </li>
          ))}
          {found.length === 0 && (
            <li className='menu-note' role='option' aria-selected='false' aria-disabled='true'>
              Nothing by that name.
            </li>
          )}
        </ul>
      </div>
    </Dialog>
  );
}
