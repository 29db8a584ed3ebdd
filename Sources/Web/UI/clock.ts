let skew = 0;

/** The server's idea of now, so that relative windows end where its newest records are. */
export const now = (): number => Date.now() + skew;

export function synchronize(serverTime: string): void {
  const difference = Date.parse(serverTime) - Date.now();
  // Small differences are the network's, not the clock's.
  skew = Math.abs(difference) > 2000 ? difference : 0;
}
