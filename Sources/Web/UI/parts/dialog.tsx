import { type ReactNode, useEffect, useRef } from 'react';
import { Icon } from './icon.tsx';

/** A modal `<dialog>`: focus stays inside, Escape closes, and closing gives focus back. */
export function Dialog({ title, onClose, children, wide = false, bare = false }: {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
  /** Without a heading row; `title` is then only its name. */
  bare?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const dialog = element.current!;
    dialog.showModal();
    dialog.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      dialog.close();
      before?.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      className={wide ? 'dialog wide' : 'dialog'}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div className='dialog-in'>
        {!bare && (
          <header className='dialog-h'>
            <h2>{title}</h2>
            <button type='button' className='ib' aria-label='Close' onClick={onClose}>
              <Icon name='x' size={16} />
            </button>
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
