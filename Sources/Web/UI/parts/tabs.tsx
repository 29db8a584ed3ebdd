import { type ReactNode, useRef } from 'react';

export interface Tab {
  id: string;
  label: string;
  count?: string | undefined;
}

/** Tabs of the ARIA practices: one tab stop, arrows move and choose. The panel's id is `<name>-panel`. */
export function Tabs({ name, label, tabs, chosen, onChoose }: {
  name: string;
  label: string;
  tabs: readonly Tab[];
  chosen: string;
  onChoose: (id: string) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  return (
    <div
      ref={list}
      className='tabs'
      role='tablist'
      aria-label={label}
      onKeyDown={(event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        const at = tabs.findIndex((each) => each.id === chosen);
        const next = tabs[(at + step + tabs.length) % tabs.length]!;
        onChoose(next.id);
        list.current!.querySelector<HTMLElement>(`#${name}-${next.id}`)?.focus();
      }}
    >
      {tabs.map((tab) => (
        <button
          key={tab.id}
          id={`${name}-${tab.id}`}
          type='button'
          role='tab'
          aria-selected={tab.id === chosen}
          aria-controls={tab.id === chosen ? `${name}-panel` : undefined}
          tabIndex={tab.id === chosen ? 0 : -1}
          onClick={() => onChoose(tab.id)}
        >
          {tab.label}
          {tab.count !== undefined && <small>{tab.count}</small>}
        </button>
      ))}
    </div>
  );
}

export function TabPanel({ name, chosen, className, children }: {
  name: string;
  chosen: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <div id={`${name}-panel`} role='tabpanel' aria-labelledby={`${name}-${chosen}`} className={className}>
      {children}
    </div>
  );
}
