import type { Capabilities } from '../conversation/chat-model.ts';
import type { EndpointClient } from '../engine/endpoint/endpoint-client.ts';
import { costOf } from '../engine/endpoint/prices.ts';
import { InputError } from '../errors.ts';
import type { ProbeSettings } from '../probes/prober.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import { formatCount } from '../report/format.ts';
import type { Mode } from '../results/mode.ts';
import { minimumDetectableEffect, sampleSize } from '../stats/power.ts';
import { type Load, mostProblems, rehearse } from './rehearsal.ts';

/** Share of problems that come out differently before and after, for planning: a remedy that does something. */
const DISCORDANT = 0.2;

/** No change is larger than the share of problems that change. */
const problemsFor = (effect: number): number => sampleSize(effect, { discordant: Math.max(DISCORDANT, effect) });

/** English and digits have about so many bytes to a token; the budget itself counts with one. */
const BYTES_A_TOKEN = 3;

export type Plan = {
  readonly client: EndpointClient;
  readonly selfTestReplies: number;
  readonly family: ProblemFamily<unknown>;
  readonly wanted: ProbeSettings;
  readonly can: Capabilities;
  readonly mode: Mode;
  readonly options: { readonly budget?: number; readonly maxCost?: number; readonly effect?: number };
  readonly say: (lines: readonly string[]) => void;
};

/**
 * Says before anything is spent what a measurement asks for, what it costs, and how small a change it can find; takes
 * as many problems as the limits allow.
 * @throws InputError where they allow too few to say anything.
 */
export async function planMeasurement(plan: Plan): Promise<ProbeSettings> {
  const { wanted, options, say, mode, family } = plan;
  const needed = problemsNeeded(wanted.problems, options.effect);
  const problems = await mostProblems(needed, async (count) => fits(plan, await loadOf(plan, count)));
  if (problems < FEWEST) {
    const least = await loadOf(plan, FEWEST);
    throw new InputError(
      `the limits allow fewer than ${FEWEST} problems, which take ${describe(plan, least)}; allow more`,
    );
  }
  const load = await loadOf(plan, problems);
  if (plan.client.parts.budget.price && options.budget === undefined && options.maxCost === undefined) {
    throw new InputError(`${describe(plan, load)}; say how much it may be, with --max-cost USD or --budget REPLIES`);
  }
  const cut = problems < needed ? ` (of ${needed}, which the limits do not allow)` : '';
  say([
    `plan: ${problems} problems${cut} of ${family.name}, mode ${mode}`,
    `  at most ${describe(plan, load)}`,
    ...powerLines(problems, options.effect),
  ]);
  return { ...wanted, problems };
}

/**
 * As many problems as are asked for, or as finding a change of size `effect` needs.
 * @throws InputError where they are too few to say anything.
 */
export function problemsNeeded(problems: number, effect: number | undefined): number {
  const needed = effect === undefined ? problems : problemsFor(effect);
  if (needed >= FEWEST) return needed;
  throw new InputError(
    `${needed} problems: intervals would be as wide as the scale; ask for --problems ${FEWEST} or more`,
  );
}

/** Fewer problems have intervals as wide as the scale. */
const FEWEST = 8;

const loadOf = ({ family, wanted, can, mode }: Plan, problems: number): Promise<Load> =>
  rehearse(family, { ...wanted, problems }, can, mode);

function fits({ selfTestReplies, client, options }: Plan, load: Load): boolean {
  const { budget = Number.POSITIVE_INFINITY, maxCost = Number.POSITIVE_INFINITY } = options;
  return load.replies + selfTestReplies <= budget && (expectedCost(client, load) ?? 0) <= maxCost;
}

function expectedCost({ parts }: EndpointClient, { promptBytes, replyTokens }: Load): number | undefined {
  const { price } = parts.budget;
  return price && costOf(price, { prompt: promptBytes / BYTES_A_TOKEN, completion: replyTokens });
}

function describe({ client }: Plan, load: Load): string {
  const cost = expectedCost(client, load);
  const price =
    cost === undefined ? 'price unknown' : `about ${cost.toFixed(2)} USD if every reply is as long as it may be`;
  return `${formatCount(load.replies)} replies, ${formatCount(load.replyTokens)} reply tokens, ${price}`;
}

/** Of a paired comparison with a second run, as `unrut compare` makes it. */
function powerLines(problems: number, effect: number | undefined): string[] {
  const found = smallestFound(problems);
  const changing = Math.max(DISCORDANT, found) * 100;
  const how = `80 % power, two-sided 5 %, ${changing.toFixed(0)} % of problems changing`;
  const able = `  a change of ${points(found)} points or more would be found against another such run (${how})`;
  if (effect === undefined) return [able];
  return [able, `  ${points(effect)} points need ${problemsFor(effect)} problems that pass the gate`];
}

/** So few problems that more of them have to change than is planned with find a change in which all go one way. */
function smallestFound(problems: number): number {
  if (problems >= problemsFor(DISCORDANT)) return minimumDetectableEffect(problems, { discordant: DISCORDANT });
  const percents = Array.from({ length: 101 }, (_, percent) => percent / 100);
  return percents.find((share) => share > DISCORDANT && problemsFor(share) <= problems) ?? 1;
}

const points = (share: number): string => (share * 100).toFixed(1);
