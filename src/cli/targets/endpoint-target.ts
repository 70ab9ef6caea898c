import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ChatTemplate } from '../../chat/chat-template.ts';
import { writing } from '../../disk/write.ts';
import { parseAddress } from '../../engine/endpoint/address.ts';
import { connect } from '../../engine/endpoint/connect.ts';
import { EndpointChatModel } from '../../engine/endpoint/endpoint-chat-model.ts';
import type { EndpointClient } from '../../engine/endpoint/endpoint-client.ts';
import { type PriceTable, priceOf, readPrices } from '../../engine/endpoint/prices.ts';
import type { Render } from '../../engine/endpoint/request.ts';
import { type SelfTest, selfTest } from '../../engine/endpoint/self-test.ts';
import { Secret } from '../../engine/http/secret.ts';
import { InputError } from '../../errors.ts';
import { createProber } from '../../probes/all-probes.ts';
import { drawDistinct } from '../../probes/competence.ts';
import { LoggedModel } from '../../probes/logged-model.ts';
import type { ProbeSettings } from '../../probes/prober.ts';
import { DEFAULT_FAMILY, FAMILIES, openFamily } from '../../problems/families.ts';
import type { ProblemFamily } from '../../problems/problem-family.ts';
import { withShots } from '../../problems/shots.ts';
import { EvalLogWriter } from '../../record/inspect/eval-log-writer.ts';
import { finishLog, TRANSCRIPTS } from '../../record/inspect/write-transcripts.ts';
import { Lock } from '../../record/lock.ts';
import { refuseUsed } from '../../record/run-folder.ts';
import { selfTestLines } from '../../report/endpoint-lines.ts';
import type { Mode } from '../../results/mode.ts';
import type { EndpointUse } from '../../results/results.ts';
import { asked } from '../../wrong-turns/turns.ts';
import { findModel } from '../find-model.ts';
import { latestRunFolder, nextRunFolder } from '../find-run.ts';
import { openProblems } from '../open-problems.ts';
import { packageRoot, packageVersion } from '../package-root.ts';
import { planMeasurement, problemsNeeded } from '../plan-measurement.ts';
import type { OpenTarget } from './open-target.ts';

/** The options of `unrut probe` that only an endpoint has. */
export type EndpointOptions = {
  readonly family?: string;
  readonly set?: readonly string[];
  readonly shots?: number;
  readonly mode?: Mode;
  readonly budget?: number;
  readonly maxCost?: number;
  readonly prices?: string;
  readonly keyEnv?: string;
  readonly template?: string;
  readonly replyTokens?: number;
  readonly concurrency?: number;
  /** Seconds. */
  readonly timeout?: number;
  readonly effect?: number;
  readonly out?: string;
  readonly resume?: boolean;
};

const DEFAULTS = { concurrency: 64, timeout: 120 } as const;
const REPLIES = 'replies.jsonl';
/** Retries of the self-test that are told one by one. */
const RETRIES_TOLD = 3;

/**
 * Opens the run folder, connects, has the endpoint show what it can, says what the measurement will cost, and only then
 * lets it begin. Every reply goes to `replies.jsonl` of the folder, which is what `--resume` goes on from, and, when all
 * is measured, with its conversation and verdict into `transcripts.eval`.
 */
export async function openEndpointTarget(
  name: string,
  wanted: ProbeSettings,
  options: EndpointOptions,
  say: Say,
  signal: AbortSignal,
): Promise<OpenTarget> {
  const address = parseAddress(name);
  const secret = Secret.of(address, options.keyEnv);
  problemsNeeded(wanted.problems, options.effect); // refused before the server is asked
  const chosen = options.family === undefined ? undefined : await openProblems(options.family, options.set);
  const prices = await readPrices(options.prices ?? join(packageRoot, 'prices.json'));
  const out = await claimFolder(options);
  const lock = await Lock.take(join(out, 'lock'));
  const retries = tellsRetries(say);
  try {
    const client = await connect(address, {
      secret,
      limits: { budget: options.budget, maxCost: options.maxCost },
      journal: join(out, REPLIES),
      priceOf: (model) => priceOf(prices, model),
      render: options.template === undefined ? undefined : await renderBy(options.template),
      timeout: (options.timeout ?? DEFAULTS.timeout) * 1000,
      most: options.concurrency ?? DEFAULTS.concurrency,
      seed: wanted.seed,
      signal,
      onRetry: retries.tell,
    });
    return await openOn(client, { name, wanted, options, say, chosen, prices, out, lock, retries });
  } catch (error) {
    lock.release();
    await dropUnused(out);
    throw error;
  }
}

type Say = (lines: readonly string[]) => void;

/** What has been opened of a measurement before the endpoint shows what it can. */
type Begun = {
  readonly name: string;
  readonly wanted: ProbeSettings;
  readonly options: EndpointOptions;
  readonly say: Say;
  readonly chosen: ProblemFamily<unknown> | undefined;
  readonly prices: PriceTable;
  readonly out: string;
  readonly lock: Lock;
  readonly retries: ReturnType<typeof tellsRetries>;
};

/** Tells the first requests that are sent again, until the progress of the measurement does. */
function tellsRetries(say: Say) {
  let told = 0;
  return {
    tell: (line: string) => {
      if (told++ < RETRIES_TOLD) say([`  sends a request again: ${line}`]);
    },
    leave: () => {
      told = RETRIES_TOLD;
    },
  };
}

/** Has the endpoint show what it can, and plans the measurement. */
async function openOn(client: EndpointClient, begun: Begun): Promise<OpenTarget> {
  const { name, wanted, options, say, chosen, prices, out, lock, retries } = begun;
  say([`asks ${client.name} what it can do`]);
  const plain = chosen ?? (await usualProblems(client, options.set));
  const family = options.shots === undefined ? plain : withShots(plain, options.shots);
  const test = await selfTest(client, selfTestSamples(family, options.replyTokens));
  retries.leave();
  say([`self-test of ${client.name}`, ...selfTestLines(test.findings)]);
  const mode = options.mode ?? (test.findings.prefill.can ? 'prefill' : 'history');
  const model = new EndpointChatModel(client, test, options.replyTokens);
  const selfTestReplies = client.given;
  const settings = await planMeasurement({
    ...{ client, selfTestReplies, family, wanted, mode, options, say },
    can: model.can,
  });
  const log = await openLog(out, name, { mode, ...settings });
  const logged = new LoggedModel(model, log);
  return {
    target: { name, model: logged, competence: logged, mode, log: logged },
    prober: createProber(family),
    settings,
    out,
    about: async () => ({ endpoint: useOf(client, test, mode, prices) }),
    progress: () => progressOf(client),
    keep: (results) => finishLog(log, results, 'before'),
    close: async () => {
      await log.discard(); // nothing where it was kept
      await client.parts.journal?.close();
      lock.release();
    },
  };
}

/** What the server says that the model speaks, where it is one of ours; else the default. */
async function usualProblems({ parts }: EndpointClient, set: readonly string[] = []) {
  const hint = parts.listed.find(({ id }) => id === parts.address.model)?.problemFamily;
  if (hint === undefined || !FAMILIES.some(({ name }) => name === hint.name)) return openProblems(DEFAULT_FAMILY, set);
  return set.length === 0 ? openFamily(hint.name, hint.dials) : openProblems(hint.name, set);
}

/** Removes a folder that holds no reply: a probe that got no further leaves nothing behind. */
async function dropUnused(folder: string): Promise<void> {
  const replies = join(folder, REPLIES);
  if (existsSync(replies) && (await readFile(replies, 'utf8')).includes('"answer":')) return;
  await rm(replies, { force: true });
  await rmdir(folder).catch(() => {}); // something else is in it
}

/** A folder of its own where none is named, so that what was paid for is never lost. */
async function claimFolder({ out, resume }: EndpointOptions): Promise<string> {
  const folder = out ?? (resume ? latestRunFolder('probe') : undefined) ?? nextRunFolder('probe');
  if (!resume) await refuseUsed(folder);
  else if (existsSync(folder) && !existsSync(join(folder, REPLIES))) {
    throw new InputError(`${folder}: no probe of an endpoint to go on with (no ${REPLIES}); leave out --resume`);
  }
  await writing(folder, () => mkdir(folder, { recursive: true }));
  return folder;
}

/** What a killed process left of its log is written anew. */
async function openLog(out: string, name: string, metadata: ProbeSettings & { mode: Mode }): Promise<EvalLogWriter> {
  for (const file of await readdir(out)) if (file.startsWith(`${TRANSCRIPTS}.`)) await rm(join(out, file));
  const versions = { unrut: packageVersion, node: process.versions.node };
  const start = { task: 'unrut/probe', model: name, started: new Date().toISOString(), versions, metadata };
  return EvalLogWriter.create(join(out, TRANSCRIPTS), start);
}

/** Prompts as they will be asked, so that the self-test says something about the measurement. */
function selfTestSamples(family: ProblemFamily<unknown>, replyTokens = 0) {
  const prompts = drawDistinct(family, 3, 0).map((problem) => [asked(family.prompt(problem))]);
  return { prompts, replyTokens: Math.max(family.replyTokens, replyTokens) };
}

/** By the chat template of a model folder, or of a model of the hub. */
async function renderBy(name: string): Promise<Render> {
  const { folder } = await findModel(name, { quiet: true, weights: false });
  const template = await ChatTemplate.open(folder);
  return (conversation) => template.render(conversation, 'prompt');
}

function progressOf({ parts: { budget, flow } }: EndpointClient): string {
  const cost = budget.cost === undefined ? '' : `, ${budget.cost.toFixed(4)} USD`;
  return `${budget.spent.replies} replies, ${flow.inFlight} of ${flow.limit} in flight${cost}`;
}

function useOf(client: EndpointClient, test: SelfTest, mode: Mode, prices: PriceTable): EndpointUse {
  const { address, budget, flow } = client.parts;
  const { replies, prompt, completion, lost } = budget.spent;
  const cost = budget.cost;
  return {
    address: address.baseUrl,
    model: address.model,
    mode,
    self_test: test.findings,
    replies,
    cached: client.cached,
    requests: flow.count.requests,
    retries: flow.count.retries,
    lost_requests: lost,
    empty_replies: client.empty,
    refused_replies: client.refusals.replies,
    ...(client.refusals.first === undefined ? {} : { first_refusal: client.refusals.first }),
    prompt_tokens: prompt,
    completion_tokens: completion,
    ...(cost === undefined ? {} : { cost_usd: cost, prices: `prices of ${prices.date}` }),
  };
}
