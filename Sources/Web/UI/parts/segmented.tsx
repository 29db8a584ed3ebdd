import type { ReactNode } from 'react';

/** One of a few, all visible: a radio group. */
export function Segmented<T extends string>({ label, options, chosen, onChoose }: {
  label: string;
  options: readonly { value: T; label: ReactNode; title?: string }[];
  chosen: T;
  onChoose: (value: T) => void;
}) {
  return (
    <div
      className='seg'
      role='radiogroup'
      aria-label={label}
      onKeyDown={(event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        const at = options.findIndex((each) => each.value === chosen);
        const next = (at + step + options.length) % options.length;
        onChoose(options[next]!.value);
        (event.currentTarget.children[next] as HTMLElement).focus();
      }}
    >
      {options.map((option) => (
        <button
          key={option.value}
          type='button'
          role='radio'
          aria-checked={option.value === chosen}
          tabIndex={option.value === chosen ? 0 : -1}
          title={option.title}
          onClick={() => onChoose(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
