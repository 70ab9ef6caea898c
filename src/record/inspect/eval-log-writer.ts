import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { writing } from '../../disk/write.ts';
import { HEADER, SUMMARIES, sampleEntry } from './eval-log.ts';
import { type LoggedTranscript, SCORER, transcriptSample, transcriptSummary } from './transcript-sample.ts';

/** What is known of a log before its first sample. */
export type EvalStart = {
  readonly task: string;
  readonly model: string;
  /** ISO 8601. */
  readonly started: string;
  /** Names and versions of what made it. */
  readonly versions: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
};

/** Bytes. To set a deflater up takes longer than all else that a short conversation needs. */
const WORTH_DEFLATING = 4096;

type Json = Readonly<Record<string, unknown>>;

/**
 * Writes an Inspect `.eval` log sample by sample: one conversation is in memory at a time, and of those written only id
 * and outcome. It is written beside and renamed, so that a reader sees a whole log or none.
 */
export class EvalLogWriter {
  readonly #path: string;
  readonly #start: EvalStart;
  readonly #zip = new ZipFile();
  readonly #written: Promise<void>;
  readonly #summaries: FileHandle;
  /** Trials by id: the next one is another epoch. */
  readonly #trials = new Map<string, number>();
  /** What the disk said, and whom to tell: a race against the pipeline would keep a listener per sample. */
  #broken: unknown;
  #fail: (error: unknown) => void = () => {};
  #samples = 0;
  #scored = 0;
  #good = 0;

  private constructor(path: string, start: EvalStart, summaries: FileHandle) {
    this.#path = path;
    this.#start = start;
    this.#summaries = summaries;
    this.#written = pipeline(this.#zip.outputStream, createWriteStream(beside(path), { flush: true }));
    this.#written.catch((error) => {
      this.#broken = error;
      this.#fail(error);
    });
  }

  /** @throws RunError where the file system refuses. */
  static async create(path: string, start: EvalStart): Promise<EvalLogWriter> {
    return writing(path, async () => new EvalLogWriter(path, start, await open(spool(path), 'w')));
  }

  /** Another transcript of the same id is its next epoch. */
  async add(transcript: LoggedTranscript): Promise<void> {
    const epoch = (this.#trials.get(transcript.id) ?? 0) + 1;
    this.#trials.set(transcript.id, epoch);
    await this.#guarded(async () => {
      await this.#entry(sampleEntry(transcript.id, epoch), transcriptSample(transcript, epoch, this.#start));
      const comma = this.#samples === 0 ? '[' : ',\n';
      await this.#summaries.write(comma + JSON.stringify(transcriptSummary(transcript, epoch)));
    });
    this.#samples += 1;
    if (!transcript.outcome) return;
    this.#scored += 1;
    this.#good += Number(transcript.outcome.good);
  }

  /** @param scores go into the header beside the share of samples that are as wanted. */
  async finish(scores: readonly Json[], completed: string): Promise<void> {
    await this.#guarded(async () => {
      await this.#summaries.write(this.#samples === 0 ? '[]' : ']');
      await this.#summaries.close();
      await this.#stream(SUMMARIES, true, () => createReadStream(spool(this.#path)));
      await this.#entry(HEADER, this.#header(scores, completed));
      this.#zip.end();
      await this.#written;
      await rename(beside(this.#path), this.#path);
      await rm(spool(this.#path));
    });
  }

  /** Gives up: nothing is left behind. */
  async discard(): Promise<void> {
    await this.#summaries.close().catch(() => {});
    for (const file of [beside(this.#path), spool(this.#path)]) await rm(file, { force: true });
  }

  async #guarded(write: () => Promise<void>): Promise<void> {
    try {
      await writing(this.#path, write);
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  #entry(name: string, content: Json): Promise<void> {
    let bytes: Buffer | undefined = Buffer.from(JSON.stringify(content));
    return this.#stream(name, bytes.length > WORTH_DEFLATING, () => {
      const stream = Readable.from([bytes]);
      bytes = undefined; // yazl keeps this function until the log ends
      return stream;
    });
  }

  /** Resolves when what came before is written, so that samples do not pile up. */
  #stream(name: string, compress: boolean, open: () => Readable): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#broken) throw this.#broken;
      this.#fail = reject;
      this.#zip.addReadStreamLazy(name, { compress }, (take) => {
        take(undefined, open());
        resolve();
      });
    });
  }

  #header(scores: readonly Json[], completed: string): Json {
    const { task, model, started, versions, metadata } = this.#start;
    const ids = [...this.#trials.keys()];
    const epochs = Math.max(1, ...new Set(this.#trials.values()));
    const dataset = { name: task, samples: ids.length, sample_ids: ids, shuffled: false };
    const origin = { eval_id: shortId(), run_id: shortId(), task_id: shortId(), task_version: 0, created: started };
    const share = this.#scored === 0 ? [] : [this.#share()];
    return {
      version: 2,
      status: 'success',
      eval: {
        ...origin,
        ...{ task, model: inspectModel(model), dataset, config: { epochs }, packages: versions },
        metadata: { ...metadata, model },
      },
      plan: { name: 'unrut', steps: [], config: {} },
      results: { total_samples: this.#samples, completed_samples: this.#samples, scores: [...share, ...scores] },
      stats: { started_at: started, completed_at: completed, model_usage: {} },
    };
  }

  #share(): Json {
    const accuracy = { name: 'accuracy', value: this.#good / this.#scored };
    return { name: SCORER, scorer: SCORER, scored_samples: this.#scored, metrics: { accuracy } };
  }
}

/**
 * `none/organism`: a model of Inspect's provider "none", which its tools load and never ask. They would take a folder's
 * path for a provider. The name in full stands in the metadata.
 */
export function inspectModel(model: string): string {
  const [name = 'model'] = model
    .split(/[\\/#]/)
    .filter((part) => part !== '')
    .slice(-1);
  return `none/${name.replaceAll(/\s+/g, '-')}`;
}

/** As Inspect makes them: letters and digits without a meaning. */
function shortId(): string {
  return randomUUID().replaceAll('-', '').slice(0, 22);
}

function beside(path: string): string {
  return `${path}.${process.pid}.writing`;
}

function spool(path: string): string {
  return `${path}.${process.pid}.summaries`;
}
