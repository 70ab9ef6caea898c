import type { Cost } from '../engine/cost.ts';
import type { CostLine } from '../recipe/cost.ts';
import { columnsOf, fits } from '../report/fit.ts';
import { formatCount } from '../report/format.ts';
import { printTable } from '../report/print-table.ts';

/** What a run is reckoned in beside tokens: minutes of this machine, or dollars. */
export type UnitPrice = {
  readonly unit: 'minutes' | 'USD';
  readonly digits: number;
  of(cost: Cost): number;
};

export type Bill = {
  readonly lines: readonly CostLine[];
  /** Absent where nobody knows. */
  readonly price?: UnitPrice;
  /** The total in words. */
  readonly answer?: (total: number) => string;
  readonly notes: readonly string[];
};

/** The total first, then what it is made of. */
export function billLines(bill: Bill): string[] {
  const { price, answer, notes } = bill;
  const total = totalOf(bill.lines);
  const first = price && answer ? [answer(price.of(total.cost))] : [];
  return [...first, table([...bill.lines, total], price), ...notes];
}

export function billJson({ lines, price, notes }: Bill): object {
  const line = ({ what, cost }: CostLine) => ({
    what,
    steps: cost.steps,
    trained_tokens: Math.round(cost.trainedTokens),
    sampled_tokens: Math.round(cost.sampledTokens),
    ...(price && { [price.unit.toLowerCase()]: price.of(cost) }),
  });
  return { total: line(totalOf(lines)), lines: lines.map(line), notes };
}

function totalOf(lines: readonly CostLine[]): CostLine {
  const sum = (key: keyof Cost) => lines.reduce((all, { cost }) => all + cost[key], 0);
  return {
    what: 'total',
    cost: { steps: sum('steps'), trainedTokens: sum('trainedTokens'), sampledTokens: sum('sampledTokens') },
  };
}

function table(lines: readonly CostLine[], price: UnitPrice | undefined): string {
  const heads = ['', 'steps', 'trained tokens', 'sampled tokens', ...(price ? [price.unit] : [])];
  const rows = lines.map((line) => cells(line, price));
  const wide = printTable(heads, [1, 2, 3, 4]);
  wide.push(...rows);
  const columns = columnsOf();
  if (columns === undefined || fits(String(wide), columns)) return String(wide);
  const narrow = ([what, ...numbers]: readonly string[]) =>
    `${what}: ${numbers.map((number, at) => `${number} ${heads[at + 1]}`).join(', ')}`;
  return rows.map(narrow).join('\n');
}

function cells({ what, cost }: CostLine, price: UnitPrice | undefined): string[] {
  const counts = [cost.steps, cost.trainedTokens, cost.sampledTokens].map((count) => formatCount(Math.round(count)));
  return [what, ...counts, ...(price ? [price.of(cost).toFixed(price.digits)] : [])];
}
