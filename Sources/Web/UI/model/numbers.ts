const group = new Intl.NumberFormat('en-US');

export const number = (value: number): string => group.format(value);

/** At most four characters: 950, 9.5k, 59k, 1.2M. */
export function compact(value: number): string {
  if (value >= 1e9) return short(value / 1e9) + 'G';
  if (value >= 999_500) return short(value / 1e6) + 'M';
  if (value >= 1e3) return short(value / 1e3) + 'k';
  return String(Math.round(value * 10) / 10);
}

function short(value: number): string {
  return value >= 9.95 ? String(Math.round(value)) : value.toFixed(1);
}

export function byteCount(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function share(part: number): string {
  const percent = part * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  return `${percent >= 10 ? Math.round(percent) : percent.toFixed(1)} %`;
}

export const plural = (count: number, one: string, many = one + 's'): string =>
  `${number(count)} ${count === 1 ? one : many}`;
