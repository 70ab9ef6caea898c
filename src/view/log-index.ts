import { stat } from 'node:fs/promises';
import { sampleEntry } from '../record/inspect/eval-log.ts';
import { EvalLogFile } from '../record/inspect/eval-log-file.ts';
import { type ReadSample, scoreText } from '../record/inspect/read-sample.ts';
import { formatCondition } from '../report/format.ts';

/** A line of the list of transcripts: all that is kept of a sample. */
export type IndexRow = {
  readonly entry: string;
  readonly behaviour: string;
  /** In words, as a report has it. */
  readonly condition: string;
  /** The first score as it stands in the log (`C`, `I`, `0.5`), `error`, or empty. */
  readonly outcome: string;
  /** How the problem begins. */
  readonly preview: string;
  /** How the model's own last words begin; empty where the log does not say. */
  readonly excerpt: string;
};

export type Filter = { readonly behaviour: string; readonly outcome: string; readonly text: string };

export type Page = {
  readonly rows: readonly { readonly position: number; readonly row: IndexRow }[];
  /** How many there are without the search for text. */
  readonly total: number;
  /** Where to go on; undefined at the end. */
  readonly next: number | undefined;
  /** How many were opened to look for the text; of these some may be damaged. */
  readonly searched: number;
  readonly damaged: readonly string[];
};

export const PAGE = 50;
const PREVIEW = 160;

/** A page answers within this time, milliseconds, however long the log is. */
const PATIENCE = 1500;

/** An open log with a line per sample: samples themselves are read when they are shown or searched. */
export class LogIndex {
  readonly log: EvalLogFile;
  readonly rows: readonly IndexRow[];
  readonly changed: number;

  private constructor(log: EvalLogFile, rows: readonly IndexRow[], changed: number) {
    this.log = log;
    this.rows = rows;
    this.changed = changed;
  }

  /** @throws RunError where the file holds no log. */
  static async open(file: string): Promise<LogIndex> {
    const { mtimeMs } = await stat(file);
    const log = await EvalLogFile.open(file);
    const summed = new Map((await log.summaries()).map((summary) => [sampleEntry(summary.id, summary.epoch), summary]));
    const rows = log.samples.map((entry): IndexRow => {
      const summary = summed.get(entry);
      const [score] = Object.values(summary?.scores ?? {});
      const outcome = summary?.error ? 'error' : score ? scoreText(score.value) : '';
      return {
        entry,
        outcome,
        behaviour: word(summary?.metadata.behaviour),
        condition: formatCondition(word(summary?.metadata.condition)),
        preview: preview(summary?.input),
        excerpt: cut(word(summary?.metadata.excerpt)),
      };
    });
    return new LogIndex(log, rows, mtimeMs);
  }

  /** Positions of the rows that fit, the search for text left out. */
  fitting({ behaviour, outcome }: Filter): number[] {
    const fits = (row: IndexRow) =>
      (!behaviour || row.behaviour === behaviour) && (!outcome || row.outcome === outcome);
    return this.rows.flatMap((row, position) => (fits(row) ? [position] : []));
  }

  async page(filter: Filter, from: number): Promise<Page> {
    const fitting = this.fitting(filter);
    const all = { positions: fitting.slice(from, from + PAGE), end: from + PAGE, damaged: [] };
    const { positions, end, damaged } = filter.text === '' ? all : await this.#search(fitting, filter.text, from);
    return {
      rows: await Promise.all(
        positions.map(async (position) => ({ position, row: await this.#withExcerpt(this.rows[position]!) })), // within its length
      ),
      total: fitting.length,
      next: end < fitting.length ? end : undefined,
      searched: filter.text === '' ? 0 : Math.min(end, fitting.length),
      damaged,
    };
  }

  /** Logs of other programs keep none in their summaries: the sample itself says it. */
  async #withExcerpt(row: IndexRow): Promise<IndexRow> {
    if (row.excerpt !== '') return row;
    const sample = await this.log.sample(row.entry).catch(() => undefined); // its own page says what is wrong with it
    const said = sample?.turns.findLast(({ origin }) => origin === 'sampled')?.text ?? '';
    return { ...row, excerpt: cut(said.trim()) };
  }

  /** Until a page is full or patience is at its end. */
  async #search(fitting: readonly number[], text: string, from: number) {
    const positions: number[] = [];
    const damaged: string[] = [];
    const until = performance.now() + PATIENCE;
    let end = from;
    while (end < fitting.length && positions.length < PAGE && performance.now() < until) {
      const position = fitting[end++]!; // within its length
      const { entry } = this.rows[position]!;
      if (!(await this.log.mayHold(entry, text))) continue;
      const sample = await this.log.sample(entry).catch((error: Error) => void damaged.push(error.message));
      if (sample && says(sample, text.toLowerCase())) positions.push(position);
    }
    return { positions, end, damaged };
  }
}

function says({ id, turns }: ReadSample, text: string): boolean {
  return [id, ...turns.flatMap((turn) => [turn.text, turn.reasoning])].some((said) =>
    said.toLowerCase().includes(text),
  );
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** How the input begins, whether it is a text or messages. */
function preview(input: unknown): string {
  const said = Array.isArray(input) ? word(input.at(-1)?.content) : word(input);
  return cut(said);
}

const cut = (said: string): string => (said.length > PREVIEW ? `${said.slice(0, PREVIEW)}…` : said);
