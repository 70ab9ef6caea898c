import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { UnrutError } from '../errors.ts';
import { lookUp } from '../look-up.ts';
import { html } from '../report/page/markup.ts';
import { readResults } from '../results/results.ts';
import { isOwnName } from '../serve/host-rule.ts';
import { visible } from '../visible.ts';
import { comparePage } from './compare-page.ts';
import { Runs } from './find-runs.ts';
import { inside } from './inside.ts';
import { layout, way } from './layout.ts';
import { liveEvents, readLiveRun } from './live.ts';
import { OpenLogs } from './open-logs.ts';
import { runBody, runPage } from './run-page.ts';
import { runsPage } from './runs-page.ts';
import { transcriptPage } from './transcript-page.ts';
import { transcriptsPage } from './transcripts-page.ts';

/** Pages hold text that a model wrote: nothing in it may load or send anything. Only the report brings a script. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'";

/** Pages with a script of ours. The one that is redrawn asks the viewer itself, and nobody else. */
const SCRIPTED: Readonly<Record<string, string>> = {
  '/report': `${POLICY}; script-src 'unsafe-inline'`,
  '/run': `${POLICY}; script-src 'unsafe-inline'; connect-src 'self'`,
};

/**
 * The viewer of one folder: reads only, what lies in the folder only.
 * @param stop ends what is still being sent to readers.
 */
export function viewer(root: string, stop: AbortSignal = new AbortController().signal): Hono {
  setMaxListeners(0, stop); // each page that watches a run has one
  const app = new Hono();
  const runs = new Runs(root);
  const logs = new OpenLogs(root);
  app.use(async (context, next) => {
    if (!isOwnName(context, { host: '127.0.0.1' })) return context.text('ask for 127.0.0.1\n', 403);
    await next();
    context.header('Content-Security-Policy', lookUp(SCRIPTED, context.req.path) ?? POLICY);
    context.header('X-Content-Type-Options', 'nosniff');
    context.header('Referrer-Policy', 'no-referrer');
  });
  app.get('/', async (context) => context.html(runsPage(root, await runs.list())));
  app.get('/report', async (context) => {
    const folder = await inside(root, asked(context, 'run'));
    const { renderHtml } = await import('../report/html.ts'); // drawing takes a second to load
    return context.html(renderHtml(await readResults(join(folder, 'results.json'))));
  });
  app.get('/run', async (context) => {
    const path = asked(context, 'run');
    return context.html(runPage(path, await readLiveRun(await inside(root, path))));
  });
  app.get('/live', async (context) => {
    const path = asked(context, 'run');
    const folder = await inside(root, path);
    await readLiveRun(folder); // refused before anything is sent
    return liveEvents(folder, (run) => runBody(path, run).text, stop);
  });
  app.get('/compare', async (context) => {
    const names = [asked(context, 'first'), asked(context, 'second')] as const;
    return context.html(await comparePage([await inside(root, names[0]), await inside(root, names[1])], names));
  });
  app.get('/transcripts', async (context) => {
    const [path, filter, from] = [asked(context, 'log'), filterOf(context), number(context, 'from')];
    const index = await logs.get(path);
    return context.html(transcriptsPage(path, index, filter, from, await index.page(filter, from)));
  });
  app.get('/transcript', async (context) => {
    const path = asked(context, 'log');
    return context.html(await transcriptPage(path, await logs.get(path), filterOf(context), number(context, 'at')));
  });
  app.notFound((context) => context.html(problem('There is no such page.'), 404));
  app.onError((error, context) => {
    if (!(error instanceof UnrutError)) process.stderr.write(`${visible(error.stack ?? error.message)}\n`);
    return context.html(problem(error.message), error instanceof UnrutError ? 404 : 500);
  });
  return app;
}

function asked(context: Context, name: string): string {
  return context.req.query(name) ?? '';
}

function number(context: Context, name: string): number {
  const value = Number(asked(context, name));
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function filterOf(context: Context) {
  return {
    behaviour: asked(context, 'behaviour'),
    outcome: asked(context, 'outcome'),
    text: asked(context, 'text').trim(),
  };
}

function problem(message: string): string {
  return layout('Cannot be shown', html`${way()}<h1>This cannot be shown</h1><p class="error">${message}</p>`);
}
