import { expect } from '../model/testing.ts';
import { nearness } from './commandPalette.tsx';
import { inline } from './prose.tsx';

interface Node {
  type: string;
  props: { children?: string; href?: string };
}

const shape = (text: string): unknown[] =>
  inline(text).map((each) =>
    typeof each === 'string'
      ? each
      : [(each as Node).type, (each as Node).props.children, (each as Node).props.href ?? '']
  );

Deno.test('bold, code and links within the product', () => {
  expect(shape('a **b** `c` [d](/search?q=x)'), ['a ', ['b', 'b', ''], ' ', ['code', 'c', ''], ' ', [
    'a',
    'd',
    '/search?q=x',
  ]]);
});

Deno.test('nothing leads out of the product or becomes markup', () => {
  expect(shape('[x](//evil.example)'), ['x']);
  expect(shape('[x](javascript:alert(1))'), ['[x](javascript:alert(1))']);
  expect(shape('<b>x</b>'), ['<b>x</b>']);
});

Deno.test('a slot of a pattern is no emphasis', () => {
  const found = inline('failures=<*> window=<*> x *really* 2*3*4');
  expect(found.filter((each) => (each as Node).type === 'i').map((each) => (each as Node).props.children), ['really']);
});

Deno.test('the palette finds beginnings first and scattered letters last', () => {
  const order = ['New analysis', 'Analyses', 'Patterns'].map((each) => nearness(each, 'ana') ?? -1);
  expect(order[1]! > order[0]! && order[2] === -1, true);
  expect(nearness('Dark theme', 'dkt') !== null, true);
});
