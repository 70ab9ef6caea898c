import Table from 'cli-table3';

/** Ruled like a table in print: no vertical lines; `rightAligned` columns, counted from 0, are those of plain counts. */
export function printTable(head: readonly string[], rightAligned: readonly number[] = []): Table.Table {
  const none = { left: '', 'left-mid': '', right: '', 'right-mid': '', middle: '  ', 'mid-mid': '──' };
  const ends = {
    'top-mid': '──',
    'top-left': '',
    'top-right': '',
    'bottom-mid': '──',
    'bottom-left': '',
    'bottom-right': '',
  };
  return new Table({
    head: [...head],
    chars: { ...none, ...ends },
    colAligns: head.map((_, column) => (rightAligned.includes(column) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
}
