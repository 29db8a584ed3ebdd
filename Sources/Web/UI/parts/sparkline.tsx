import { number } from '../model/numbers.ts';

/** Counts over a window as small bars; one path. */
export function Sparkline({ counts, width = 120, height = 24, label, className = '' }: {
  counts: readonly number[];
  width?: number;
  height?: number;
  label?: string;
  className?: string;
}) {
  // Never more bars than pixels can hold.
  const bars = Math.max(1, Math.min(counts.length, Math.floor(width / 3)));
  const grouped = Array.from({ length: bars }, (_, bar) => {
    const from = Math.floor((bar * counts.length) / bars);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * counts.length) / bars));
    let sum = 0;
    for (let index = from; index < to; index++) sum += counts[index] ?? 0;
    return sum;
  });
  const peak = Math.max(1, ...grouped);
  const step = width / bars;
  const data = grouped.map((count, bar) => {
    if (count === 0) return '';
    const tall = Math.max(1.5, (count / peak) * (height - 1));
    return `M${(bar * step).toFixed(1)} ${(height - tall).toFixed(1)}h${Math.max(1, step - 1).toFixed(1)}V${height}h${
      (-Math.max(1, step - 1)).toFixed(1)
    }z`;
  }).join('');
  const total = counts.reduce((sum, each) => sum + each, 0);
  return (
    <svg
      className={`spark ${className}`}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role='img'
      aria-label={label ?? `${number(total)} records, at most ${number(peak)} at once`}
    >
      <path className='spark-base' d={`M0 ${height - 0.5}H${width}`} />
      <path className='spark-bars' d={data} />
    </svg>
  );
}
