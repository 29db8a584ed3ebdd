import { useEffect, useRef } from 'react';

/** What Escape closes, innermost last. */
const escapes: (() => void)[] = [];
let listening = false;

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox' && target.type !== 'radio';
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement ||
    (target instanceof HTMLElement && target.isContentEditable);
}

function listen(): void {
  if (listening) return;
  listening = true;
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]')) return;
    const close = escapes.at(-1);
    if (close) {
      event.preventDefault();
      close();
    } else if (isTyping(event.target)) (event.target as HTMLElement).blur();
  });
}

/** While `active`, Escape calls `close` unless something opened later takes it. */
export function useEscape(active: boolean, close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    if (!active) return;
    listen();
    const entry = (): void => latest.current();
    escapes.push(entry);
    return () => {
      escapes.splice(escapes.indexOf(entry), 1);
    };
  }, [active]);
}

export type KeyMap = Record<string, (event: KeyboardEvent) => void>;

/**
 * Single keys, two-key sequences such as `g s`, and `Shift+ArrowLeft`, `Mod+k`. Without Mod they do nothing while
 * someone types or a dialog is open.
 */
export function useKeys(map: KeyMap): void {
  const latest = useRef(map);
  latest.current = map;
  useEffect(() => {
    listen();
    let first = '';
    let firstAt = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const modified = event.ctrlKey || event.metaKey;
      const shifted = event.shiftKey && event.key.length > 1;
      const name = `${modified ? 'Mod+' : ''}${event.altKey ? 'Alt+' : ''}${shifted ? 'Shift+' : ''}${event.key}`;
      if (!modified && (isTyping(event.target) || document.querySelector('dialog[open]'))) return;
      const sequence = performance.now() - firstAt < 1200 ? `${first} ${name}` : '';
      const action = latest.current[sequence] ??
        (sequence && latest.current[`${first} *`] ? undefined : latest.current[name]);
      first = name;
      firstAt = performance.now();
      if (!action) return;
      first = '';
      event.preventDefault();
      action(event);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
