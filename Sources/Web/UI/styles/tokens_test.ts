// Text on its ground holds 4.5:1 in both themes, marks and edges of inputs 3:1.
import { expect } from '../model/testing.ts';

const css = Deno.readTextFileSync(new URL('./tokens.css', import.meta.url));

function token(name: string, theme: 'light' | 'dark'): [number, number, number] {
  const match = new RegExp(`--${name}:\\s*light-dark\\((#[0-9a-f]{6}),\\s*(#[0-9a-f]{6})\\)`, 'i').exec(css);
  if (!match) throw new Error(`no token --${name}`);
  const hex = match[theme === 'light' ? 1 : 2]!;
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255) as [number, number, number];
}

function luminance(color: [number, number, number]): number {
  const [r, g, b] = color.map((each) => (each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)) as [
    number,
    number,
    number,
  ];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: [number, number, number], other: [number, number, number]): number {
  const [high, low] = [luminance(one), luminance(other)].sort((left, right) => right - left) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const texts: [string, string][] = [
  ['fg', 'bg'],
  ['fg', 'surface'],
  ['fg-2', 'surface'],
  ['fg-2', 'bg'],
  ['fg-3', 'surface'],
  ['fg-3', 'surface-2'],
  ['accent-fg', 'surface'],
  ['accent-fg', 'accent-soft'],
  ['fg-on-accent', 'accent'],
  ['ai', 'surface'],
  ['ai', 'ai-soft'],
  ['ok', 'ok-soft'],
  ['caution', 'caution-soft'],
  ['danger', 'danger-soft'],
  ['rail-fg', 'rail'],
  ['rail-fg-2', 'rail'],
  ['lvl-fatal', 'lvl-fatal-soft'],
  ['lvl-error', 'lvl-error-soft'],
  ['lvl-warn', 'lvl-warn-soft'],
  ['lvl-info', 'surface'],
  ['lvl-debug', 'surface'],
  ['lvl-trace', 'surface'],
  ['fg-2', 'accent-soft'],
  ['fg-2', 'lvl-error-soft'],
  ['mark-fg', 'mark'],
  ['value', 'surface'],
  ['value', 'surface-2'],
  ['rail-link', 'rail'],
  ['toast-fg', 'toast'],
  ['lvl-fatal-on', 'lvl-fatal-mark'],
  ['ansi-magenta', 'surface'],
  ['ansi-cyan', 'surface'],
];
const marks: [string, string][] = [
  ['line-input', 'surface'],
  ['focus', 'surface'],
  ['lvl-error-mark', 'surface'],
  ['lvl-warn-mark', 'surface'],
  ['lvl-info-mark', 'surface'],
  ['lvl-debug-mark', 'surface'],
  ['lvl-fatal-mark', 'surface'],
];

Deno.test('tokens hold their contrast in both themes', () => {
  const low: string[] = [];
  for (const theme of ['light', 'dark'] as const) {
    for (const [pairs, least] of [[texts, 4.5], [marks, 3]] as const) {
      for (const [front, ground] of pairs) {
        const ratio = contrast(token(front, theme), token(ground, theme));
        if (ratio < least) low.push(`${theme} ${front} on ${ground}: ${ratio.toFixed(2)} < ${least}`);
      }
    }
  }
  expect(low, []);
});

Deno.test('colors are named in tokens.css and nowhere else', () => {
  const loose: string[] = [];
  for (const file of Deno.readDirSync(new URL('.', import.meta.url))) {
    if (!file.name.endsWith('.css') || file.name === 'tokens.css') continue;
    const lines = Deno.readTextFileSync(new URL(file.name, import.meta.url)).split('\n');
    lines.forEach((line, index) => {
      if (/#[0-9a-f]{3,8}\b|rgb\(|hsl\(|light-dark\(/i.test(line)) {
        loose.push(`${file.name}:${index + 1} ${line.trim()}`);
      }
    });
  }
  expect(loose, []);
});
