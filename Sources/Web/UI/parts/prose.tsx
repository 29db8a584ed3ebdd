import type { ReactNode } from 'react';
import { hasSlots, slots } from '../model/segments.ts';
import { Message } from './message.tsx';

// A small Markdown subset to nodes: paragraphs, lists, headings, bold, emphasis, code, and links within the product.
// Words from a machine never become markup.

export function Prose({ text }: { text: string }) {
  return <div className='prose'>{blocks(text)}</div>;
}

function blocks(text: string): ReactNode[] {
  const out: ReactNode[] = [];
  let paragraph: string[] = [];
  let items: string[] = [];
  let ordered = false;
  const flush = (): void => {
    if (paragraph.length > 0) out.push(<p key={out.length}>{inline(paragraph.join(' '))}</p>);
    if (items.length > 0) {
      const list = items.map((item, index) => <li key={index}>{inline(item)}</li>);
      out.push(ordered ? <ol key={out.length}>{list}</ol> : <ul key={out.length}>{list}</ul>);
    }
    paragraph = [];
    items = [];
  };
  for (const line of text.split('\n')) {
    const bullet = /^\s*[-*•]\s+(.*)$/.exec(line);
    const counted = /^\s*\d+[.)]\s+(.*)$/.exec(line);
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (bullet || counted) {
      if (paragraph.length > 0 || (items.length > 0 && ordered !== !!counted)) flush();
      ordered = !!counted;
      items.push((bullet ?? counted)![1]!);
    } else if (heading) {
      flush();
      out.push(<h4 key={out.length}>{inline(heading[1]!)}</h4>);
    } else if (line.trim() === '') flush();
    else if (items.length > 0 && /^\s+/.test(line)) items[items.length - 1] += ' ' + line.trim();
    else {
      if (items.length > 0) flush();
      paragraph.push(line.trim());
    }
  }
  flush();
  return out;
}

const mark = /`([^`]+)`|\*\*([^*]+)\*\*|(?<![<\w*])\*([^*\s<>][^*]*)\*(?![>\w*])|\[([^\]]+)\]\((\/[^)\s]*)\)/g;

/** Plain words; a pattern's slots among them are shown as such. */
function words(text: string, key: number): ReactNode {
  return hasSlots(text) ? <Message key={key} segments={slots(text)} /> : text;
}

/** Exported for its test: what one line becomes. */
export function inline(text: string): ReactNode[] {
  const out: ReactNode[] = [];
  let last = 0;
  for (const match of text.matchAll(mark)) {
    if (match.index > last) out.push(words(text.slice(last, match.index), out.length));
    const key = out.length;
    if (match[1] !== undefined) out.push(<code key={key}>{match[1]}</code>);
    else if (match[2] !== undefined) out.push(<b key={key}>{match[2]}</b>);
    else if (match[3] !== undefined) out.push(<i key={key}>{match[3]}</i>);
    // `//host` would leave the product.
    else if (match[5]!.startsWith('//')) out.push(match[4]);
    else out.push(<a key={key} href={match[5]}>{match[4]}</a>);
    last = match.index + match[0].length;
  }
  if (last < text.length) out.push(words(text.slice(last), out.length));
  return out;
}
