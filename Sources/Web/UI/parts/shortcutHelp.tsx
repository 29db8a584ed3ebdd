import { Dialog } from './dialog.tsx';

const groups: { title: string; keys: [string[], string][] }[] = [
  {
    title: 'Everywhere',
    keys: [
      [['Ctrl K'], 'Go to a page, a query, an action'],
      [['g', 's'], 'Search'],
      [['g', 'p'], 'Patterns'],
      [['g', 'i'], 'Incidents'],
      [['g', 'a'], 'Analyses'],
      [['?'], 'This help'],
      [['Esc'], 'Close the innermost'],
    ],
  },
  {
    title: 'Query and time',
    keys: [
      [['/'], 'Query bar'],
      [['Enter'], 'Run the query'],
      [['t'], 'Time range'],
      [['z'], 'Zoom out'],
      [['Shift ←', 'Shift →'], 'Shift the window'],
      [['l'], 'Live on or off'],
      [['y'], 'Copy a link to this view'],
    ],
  },
  {
    title: 'Incidents',
    keys: [
      [['j', 'k'], 'Next, previous in the list'],
      [['a'], 'Acknowledge'],
      [['r'], 'Resolve'],
      [['m'], 'Mute'],
    ],
  },
  {
    title: 'Records',
    keys: [
      [['j', 'k'], 'Next, previous'],
      [['PgUp', 'PgDn', 'Home', 'End'], 'Move further, in the list'],
      [['o', 'Enter'], 'Open'],
      [['[', ']'], 'Tabs of the detail'],
      [['c'], 'Context'],
      [['i', 'e'], "Only, or without, the record's pattern"],
      [['w'], 'Wrap lines'],
      [['f'], 'Show or hide fields'],
    ],
  },
];

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title='Keyboard shortcuts' onClose={onClose} wide>
      <div className='help'>
        {groups.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.keys.map(([keys, text]) => (
                <div key={text}>
                  <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
