// A small `expect`, so that unit tests need nothing from outside.

export function expect(actual: unknown, expected: unknown, what = ''): void {
  const left = JSON.stringify(actual);
  const right = JSON.stringify(expected);
  if (left !== right) throw new Error(`${what ? what + ': ' : ''}expected ${right}\n     but got ${left}`);
}
