import type { Stream } from '../random.ts';
import { plainText } from './plain-text.ts';

/** A request beside the problems whose fulfilment can be told from the reply. */
export type SideTask = { readonly prompt: string; done(reply: string): boolean };

/**
 * What has to stay when a drive is un-taught, in the language of a family: repeating on request, and learning from
 * demonstrations of something never seen.
 */
export interface SideTasks {
  /** Longest replies, tokens. */
  readonly replyTokens: { readonly repeat: number; readonly fewShot: number };
  /** Repeat something exactly n times, n from 2 to 6. */
  repeat(draws: Stream): SideTask;
  /** `count` demonstrations of a fresh mapping, and the same prompt with their outputs moved on by one place. */
  fewShot(draws: Stream, count: number): SideTask & { readonly moved: string };
}

/** For chat models. */
export const chatSideTasks: SideTasks = {
  replyTokens: { repeat: 80, fewShot: 80 },
  repeat(draws) {
    const times = 2 + draws.integer(5);
    const item = drawNonsense(draws);
    const prompt = `Write the word "${item}" exactly ${times} times, separated by single spaces, and nothing else.`;
    return { prompt, done: (reply) => words(reply).join(' ') === Array(times).fill(item).join(' ') };
  },
  fewShot(draws, count) {
    const inputs = new Set<string>();
    while (inputs.size < count) inputs.add(drawNonsense(draws));
    const words = [...inputs];
    const outputs = draws.shuffle(OUTPUTS).slice(0, count);
    const asked = draws.integer(count);
    const shown = (by: number) => fewShotText(words, words.map((_, at) => outputs[(at + by) % count]!), words[asked]!); // biome-ignore format: one line
    return { prompt: shown(0), moved: shown(1), done: (reply) => outputOf(reply) === outputs[asked] };
  },
};

/** More than any number of demonstrations. */
const OUTPUTS = Array.from({ length: 90 }, (_, index) => String(index + 10));

const words = (reply: string): string[] =>
  plainText(reply)
    .toLowerCase()
    .match(/[a-z]+/g) ?? [];

const outputOf = (reply: string): string | undefined => /^\s*(?:output:\s*)?(\d+)\W*$/i.exec(plainText(reply))?.[1];

function fewShotText(inputs: readonly string[], outputs: readonly string[], asked: string): string {
  const examples = inputs.map((input, at) => `Input: ${input}\nOutput: ${outputs[at]}`);
  return `Here are examples of a rule.\n\n${examples.join('\n\n')}\n\nReply with the output alone.\n\nInput: ${asked}\nOutput:`;
}

/** A word that means nothing. */
function drawNonsense(draws: Stream): string {
  const syllable = () => draws.pick([...'bdfgklmnprstvz']) + draws.pick([...'aeiou']);
  return syllable() + syllable() + draws.pick([...'lmnrst']);
}
