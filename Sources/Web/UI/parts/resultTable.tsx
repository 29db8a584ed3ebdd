import { number } from '../model/numbers.ts';
import { fieldTitle, type LogRecord } from '../model/records.ts';
import { plainText } from '../model/segments.ts';

const rowsMax = 1000;

/** What a query with pipes answers when its rows are no records any more: counts, sums, lists. */
export function ResultTable({ rows, dimmed }: { rows: readonly LogRecord[]; dimmed: boolean }) {
  const names = [...new Set(rows.slice(0, 200).flatMap((row) => Object.keys(row.fields)))];
  const numeric = new Set(names.filter((name) => rows.every((row) => isNumber(row.fields[name] ?? ''))));
  return (
    <div
      className={dimmed ? 'rows dim' : 'rows'}
      tabIndex={0}
      role='region'
      aria-label={`Result, ${number(rows.length)} rows`}
    >
      <table className='table'>
        <thead>
          <tr>
            {names.map((name) => (
              <th key={name} scope='col' className={numeric.has(name) ? 'num' : ''} title={name}>{fieldTitle(name)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, rowsMax).map((row, index) => (
            <tr key={index}>
              {names.map((name) => (
                <td key={name} className={numeric.has(name) ? 'num' : ''}>
                  {numeric.has(name) ? figure(row.fields[name] ?? '') : plainText(row.fields[name] ?? '')}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > rowsMax && (
        <p className='foot-note'>Showing the first {number(rowsMax)} of {number(rows.length)} rows.</p>
      )}
    </div>
  );
}

const isNumber = (text: string): boolean => text === '' || /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text);

function figure(text: string): string {
  const value = Number(text);
  return text === '' || Math.abs(value) >= 1e15 ? text : value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
