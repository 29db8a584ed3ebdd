// Arithmetic of a windowed list. Heights are computed, never measured: the log font is monospaced.

/** How many lines a text takes at `columns` characters a line; newlines are counted. */
export function lineCount(text: string, columns: number): number {
  let lines = 0;
  let start = 0;
  for (;;) {
    const end = text.indexOf('\n', start);
    const length = (end < 0 ? text.length : end) - start;
    lines += Math.max(1, Math.ceil(length / columns));
    if (end < 0) return lines;
    start = end + 1;
  }
}

/** `tops[i]` is where row i begins; the last entry is the whole height. */
export function prefixSums(heights: (index: number) => number, count: number): Float64Array {
  const tops = new Float64Array(count + 1);
  for (let index = 0; index < count; index++) tops[index + 1] = tops[index]! + heights(index);
  return tops;
}

/** The row that holds `y`: the first whose end lies beyond it. */
export function rowAt(tops: Float64Array, y: number): number {
  let low = 0;
  let high = tops.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle + 1]! <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}
