import type { Sampler, SamplingParams, Sequence, TokenIds } from '../../engine/engine.ts';
import { type Finding, finding } from './finding.ts';
import type { TinkerSampler } from './tinker-sampler.ts';
import { allowed } from './training-conformance.ts';

/** What a server's samples are. */
export type SamplingFindings = {
  readonly findings: readonly Finding[];
  readonly temperedLogprobs: boolean;
  readonly topLogprobs: boolean;
};

/** Few shapes: some servers compile each. */
const TOKENS = 8;

/**
 * Measures what sampling from the base model gives.
 * @param eos tokens that end a text.
 */
export async function measureSampling(
  sampler: TinkerSampler,
  vocabulary: number,
  eos: TokenIds,
): Promise<SamplingFindings> {
  const prompt = Array.from({ length: TOKENS }, (_, at) => (5 + 3 * at) % vocabulary);
  const tempered = await measureTempering(sampler, prompt);
  const top = await measureTop(sampler, prompt);
  const findings = [
    await measureStop(sampler, prompt),
    await measureSeed(sampler, prompt),
    await measureEnd(sampler, prompt, eos),
    finding('sampled logprobs', tempered, tempered ? 'of the tempered distribution' : 'not scaled by the temperature'),
    finding('top logprobs', top, top ? 'shown' : 'refused or ignored: the likeliest token is found by greedy samples'),
    await measureLead(sampler, prompt),
  ];
  return { findings, temperedLogprobs: tempered, topLogprobs: top };
}

const plain = { maxTokens: TOKENS, temperature: 1, seed: 7, stop: [], samples: 1, logprobs: false };

async function drawn(sampler: Sampler, prompt: TokenIds, how: Partial<SamplingParams>): Promise<Sequence> {
  const [group] = await sampler.sample([prompt], { ...plain, ...how });
  return group![0]!; // one prompt, one sample
}

/** Stopping at a token of its own greedy text has to leave that token as the last one. */
async function measureStop(sampler: Sampler, prompt: TokenIds): Promise<Finding> {
  const free = await drawn(sampler, prompt, { temperature: 0 });
  const stop = free.tokens.find((token, at) => at > 0 && !free.tokens.slice(0, at).includes(token)) ?? free.tokens[0]!;
  const cut = await drawn(sampler, prompt, { temperature: 0, stop: [stop] });
  const stopped = cut.stopReason === 'stop' && cut.tokens.length <= free.tokens.indexOf(stop) + 1;
  const included = stopped && cut.tokens.at(-1) === stop;
  const found = included ? 'included in what was sampled' : stopped ? 'left out' : 'not heeded';
  return finding('stop token', included, found);
}

async function measureSeed(sampler: Sampler, prompt: TokenIds): Promise<Finding> {
  const draw = async (seed: number) => String((await drawn(sampler, prompt, { seed })).tokens);
  const [one, again, other] = [await draw(11), await draw(11), await draw(12)];
  const same = one === again;
  const found = !same ? 'ignored' : one === other ? 'cannot be told' : 'equal seeds give equal samples';
  return finding('seed', same, found);
}

/** Whether the end of a text stops where nothing was said of it. */
async function measureEnd(sampler: TinkerSampler, prompt: TokenIds, eos: TokenIds): Promise<Finding> {
  const texts = await allowed(sampler.unstopped(prompt, TOKENS, 32));
  if (texts === undefined) return finding('end of text', false, 'refuses samples without a list of stops');
  const ends = new Set(eos);
  const past = texts.some((tokens) => tokens.slice(0, -1).some((token) => ends.has(token)));
  const stopped = texts.some((tokens) => tokens.length < TOKENS && ends.has(tokens.at(-1)!));
  const found = past ? 'does not stop by itself' : stopped ? 'stops by itself' : 'cannot be told: none was sampled';
  return finding('end of text', !past, `${found}; stops are always said`);
}

/** Untempered logprobs agree with those that the model gives the text; tempered ones do not. */
async function measureTempering(sampler: TinkerSampler, prompt: TokenIds): Promise<boolean> {
  const { tokens, logprobs } = await sampler.asDrawn(prompt, TOKENS, 2);
  const [own] = (await sampler.logprobs([[...prompt, ...tokens]])) as [Float32Array];
  return logprobs.some((value, at) => Math.abs(value - own[prompt.length + at]!) > 0.01);
}

async function measureTop(sampler: TinkerSampler, prompt: TokenIds): Promise<boolean> {
  const top = await allowed(sampler.shownTop(prompt, 2));
  if (top === undefined) return false;
  const [own] = (await sampler.logprobs([prompt])) as [Float32Array];
  const last = top.tokens.slice(2 * (prompt.length - 2), 2 * (prompt.length - 1)).indexOf(prompt.at(-1)!);
  return last < 0 || Math.abs(top.logprobs[2 * (prompt.length - 2) + last]! - own.at(-1)!) < 1e-3;
}

async function measureLead(sampler: TinkerSampler, prompt: TokenIds): Promise<Finding> {
  const length = await sampler.promptLogprobsLength(prompt);
  const whole = length === prompt.length;
  return finding('prompt logprobs', whole, whole ? 'the first is none' : 'the first has no place');
}
