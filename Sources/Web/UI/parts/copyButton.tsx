import { Icon } from './icon.tsx';
import { copy } from './toast.tsx';

export function CopyButton({ text, what }: { text: string; what: string }) {
  return (
    <button type='button' className='btn' onClick={() => copy(text, what)}>
      <Icon name='copy' size={14} /> Copy
    </button>
  );
}
