/** The normalized levels, least serious first: their order is the order of bars, legends and facets. */
export const severities = ['unknown', 'trace', 'debug', 'info', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** Three letters for rows. Never color alone. */
export const letters: Record<Severity, string> = {
  unknown: '···',
  trace: 'TRC',
  debug: 'DBG',
  info: 'INF',
  warning: 'WRN',
  error: 'ERR',
  critical: 'FTL',
};

export function severityOf(value: unknown): Severity {
  return severities.includes(value as Severity) ? (value as Severity) : 'unknown';
}

export const severityIndex = (value: unknown): number => severities.indexOf(severityOf(value));
