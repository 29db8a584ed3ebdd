import { type IconName, icons } from '../generated/icons.ts';
export type { IconName };

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      className='icon'
      width={size}
      height={size}
      viewBox='0 0 24 24'
      fill='none'
      stroke='currentColor'
      strokeWidth={size <= 14 ? 2.1 : 1.8}
      strokeLinecap='round'
      strokeLinejoin='round'
      aria-hidden='true'
    >
      {icons[name].map((data) => <path key={data} d={data} />)}
    </svg>
  );
}
