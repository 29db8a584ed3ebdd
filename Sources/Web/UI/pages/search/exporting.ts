import * as api from '../../api.ts';
import { number } from '../../model/numbers.ts';
import { type Fields, toCSV, toText } from '../../model/records.ts';
import { toast } from '../../parts/toast.tsx';
import { problemOf } from '../../resource.ts';

export const exportMax = 100_000;
export type Format = 'jsonl' | 'csv' | 'txt';

/** Fetches up to `exportMax` records of the window and hands them to the browser as a file. */
export async function exportRecords(window: api.Window, format: Format): Promise<void> {
  const rows: Fields[] = [];
  toast('Collecting records for the export');
  try {
    for await (const batch of api.records(window, exportMax, 0, new AbortController().signal)) {
      for (const fields of batch) rows.push(fields);
    }
  } catch (error) {
    toast(`Export failed: ${problemOf(error).title}`);
    return;
  }
  const text = format === 'csv'
    ? toCSV(rows)
    : format === 'txt'
    ? toText(rows)
    : rows.map((each) => JSON.stringify(each) + '\n').join('');
  const type = { jsonl: 'application/x-ndjson', csv: 'text/csv', txt: 'text/plain' }[format];
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `timberline-${new Date(window.start).toISOString().slice(0, 19).replaceAll(':', '')}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  toast(`Exported ${number(rows.length)} records`);
}
