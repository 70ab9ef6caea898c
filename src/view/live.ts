import { existsSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type OpenRun, readOpenRun, readProbe } from '../record/run-folder.ts';
import type { ProbeReport } from '../results/probe-report.ts';

/** @file What a run that goes on in this or another process shows of itself, read from its folder alone. */

/** So many transcripts of the latest probe are shown. */
const SHOWN = 3;

/** How often a folder is looked at. */
const LOOK_MS = 500;

export type LiveRun = OpenRun & {
  /** Whether the results are there, which end it. */
  readonly finished: boolean;
  /** The name of the latest probe and some of what the model said in it. */
  readonly latest: { readonly probe: string; readonly transcripts: ProbeReport['transcripts'] } | undefined;
};

/** @throws RunError where the folder holds no run, or a damaged one. */
export async function readLiveRun(folder: string): Promise<LiveRun> {
  const run = await readOpenRun(folder);
  return { ...run, finished: existsSync(join(folder, 'results.json')), latest: await latestProbe(folder) };
}

async function latestProbe(folder: string): Promise<LiveRun['latest']> {
  const probes = join(folder, 'probes');
  const names = (await readdir(probes).catch(() => [])).filter((name) => name.endsWith('.json'));
  const aged = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(probes, name))).mtimeMs })));
  const newest = aged.sort((a, b) => b.at - a.at)[0];
  if (newest === undefined) return undefined;
  const probe = newest.name.slice(0, -'.json'.length);
  const report = await readProbe(folder, probe).catch(() => undefined); // another process may be writing it
  return report && { probe, transcripts: spread(report.transcripts) };
}

/** Some of them, from different places: neighbours are of one behaviour. */
function spread(transcripts: ProbeReport['transcripts']): ProbeReport['transcripts'] {
  const every = Math.max(1, Math.floor(transcripts.length / SHOWN));
  return transcripts.filter((_, index) => index % every === 0).slice(0, SHOWN);
}

/**
 * Server-sent events: what `render` makes of the run, now and each time its folder has changed, until it is finished, the
 * reader goes away or `stop` is aborted.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function liveEvents(folder: string, render: (run: LiveRun) => string, stop: AbortSignal): Response {
  let timer: NodeJS.Timeout | undefined;
  let end = () => {};
  const body = new ReadableStream<string>({
    start(controller) {
      let seen = '';
      let busy = false;
      end = () => {
        clearInterval(timer);
        stop.removeEventListener('abort', end);
        controller.close();
      };
      const look = async () => {
        const now = stateOf(folder);
        if (busy || now === seen) return;
        busy = true;
        seen = now;
        const run = await readLiveRun(folder).catch(() => undefined); // the next look may find it whole
        busy = false;
        if (timer === undefined || run === undefined) return;
        controller.enqueue(`data: ${JSON.stringify({ html: render(run), over: run.finished })}\n\n`);
        if (run.finished) end();
      };
      timer = setInterval(look, LOOK_MS);
      stop.addEventListener('abort', end);
      void look();
    },
    cancel() {
      clearInterval(timer);
      timer = undefined;
      stop.removeEventListener('abort', end);
    },
  });
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
  return new Response(body.pipeThrough(new TextEncoderStream()), { headers });
}

/** Changes with whatever of a run is shown. */
function stateOf(folder: string): string {
  const size = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? -1;
  return ['events.jsonl', 'lock', 'results.json'].map(size).join(' ');
}
