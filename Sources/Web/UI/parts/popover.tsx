import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useEscape } from '../keys.ts';

/** A button with something that opens below it: a menu, a form. Escape, a click outside and focus leaving close it. */
export function Popover(
  { button, className, label, align = 'start', role = 'dialog', open: wanted, onOpen, children }: {
    button: ReactNode;
    className: string;
    label: string;
    align?: 'start' | 'end';
    role?: 'dialog' | 'menu';
    /** When given, the owner decides. */
    open?: boolean;
    onOpen?: (open: boolean) => void;
    children: (close: () => void) => ReactNode;
  },
) {
  const [own, setOwn] = useState(false);
  const open = wanted ?? own;
  const box = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const id = useId();
  const set = (value: boolean): void => {
    setOwn(value);
    onOpen?.(value);
  };
  const close = (): void => {
    set(false);
    trigger.current?.focus();
  };
  useEscape(open, close);
  useEffect(() => {
    if (!open) return;
    const panel = box.current!.querySelector<HTMLElement>('.pop')!;
    panel.querySelector<HTMLElement>('[data-autofocus], input, button, [href], [tabindex="0"]')?.focus();
    const outside = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) set(false);
    };
    addEventListener('pointerdown', outside);
    return () => removeEventListener('pointerdown', outside);
  }, [open]);
  return (
    <div
      ref={box}
      className='popbox'
      onBlur={(event) => {
        const to = event.relatedTarget;
        if (open && to && !box.current!.contains(to as Node)) set(false);
      }}
    >
      <button
        ref={trigger}
        type='button'
        className={className}
        aria-haspopup={role}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={label || undefined}
        title={label || undefined}
        onClick={() => set(!open)}
      >
        {button}
      </button>
      {open && (
        <div
          id={id}
          className={`pop ${align}`}
          role={role}
          aria-label={label}
          onKeyDown={(event) => {
            if (role !== 'menu') return;
            const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
            if (step === undefined) return;
            event.preventDefault();
            const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role^=menuitem]')];
            const at = items.indexOf(document.activeElement as HTMLElement);
            items[(at + step + items.length) % items.length]?.focus();
          }}
        >
          {children(close)}
        </div>
      )}
    </div>
  );
}
