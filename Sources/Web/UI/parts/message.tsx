import type { Segment } from '../model/segments.ts';

const classes = { key: 'k', value: 'v', control: 'ctl', slot: 'slot' } as const;

/** Segments as nodes: text stays text. */
export function Message({ segments }: { segments: readonly Segment[] }) {
  return (
    <>
      {segments.map((segment, index) => {
        if (segment.ansi) return <span key={index} className={`ansi-${segment.ansi}`}>{segment.text}</span>;
        if (segment.kind === 'text') return segment.text;
        if (segment.kind === 'hit') return <mark key={index}>{segment.text}</mark>;
        return <span key={index} className={classes[segment.kind]}>{segment.text}</span>;
      })}
    </>
  );
}
