import { createHash } from 'node:crypto';
import type { ChatModel, Reply, ReplyParams } from '../conversation/chat-model.ts';
import type { Conversation } from '../conversation/conversation.ts';
import { createProber } from '../probes/all-probes.ts';
import type { ProbeSettings } from '../probes/prober.ts';
import type { ProblemFamily, Reading } from '../problems/problem-family.ts';
import type { Mode } from '../results/mode.ts';

/** What a measurement will ask for. */
export type Load = {
  /** Replies, each counted once however often it is asked for. */
  readonly replies: number;
  /** Bytes of the prompts, and the most tokens that the replies may have. */
  readonly promptBytes: number;
  readonly replyTokens: number;
};

/**
 * Plays a measurement through with a model that costs nothing, so that what it asks for is known before anything is
 * spent. Every problem counts as one that the model can solve, and as one on which it never errs: the dearest case.
 */
export async function rehearse(
  family: ProblemFamily<unknown>,
  settings: ProbeSettings,
  can: ChatModel['can'],
  mode: Mode,
): Promise<Load> {
  const model = new CountingModel(can);
  const target = { name: 'rehearsal', model, competence: model, mode };
  await createProber(alwaysSolved(family)).probe(target, settings);
  return model.load;
}

const SOLVED: Reading = { steps: [], marks: [], answer: '', answerRight: true };

/** The reply of nothing counts as right; whatever else is read, as wrong turns are when they are made, is read as ever. */
function alwaysSolved(family: ProblemFamily<unknown>): ProblemFamily<unknown> {
  const read: typeof family.read = (problem, text, ended) => (text === '' ? SOLVED : family.read(problem, text, ended));
  return new Proxy(family, { get: (of, name) => (name === 'read' ? read : Reflect.get(of, name)) });
}

class CountingModel implements ChatModel {
  readonly name = 'rehearsal';
  readonly can: ChatModel['can'];
  readonly #asked = new Set<string>();
  #promptBytes = 0;
  #replyTokens = 0;

  constructor(can: ChatModel['can']) {
    this.can = can;
  }

  get load(): Load {
    return { replies: this.#asked.size, promptBytes: this.#promptBytes, replyTokens: this.#replyTokens };
  }

  async reply(conversations: readonly Conversation[], how: ReplyParams): Promise<Reply[][]> {
    return conversations.map((conversation) =>
      Array.from({ length: how.samples }, (_, trial) => this.#reply(conversation, how, trial)),
    );
  }

  async logprobs(items: readonly { conversation: Conversation; continuation: string }[]) {
    for (const item of items) this.#count(JSON.stringify(item), 1);
    return items.map(({ continuation }) => [{ text: continuation, logprob: 0, topLogprob: 0 }]);
  }

  #reply(conversation: Conversation, { maxTokens, temperature, seed }: ReplyParams, trial: number): Reply {
    const said = conversation.map(({ role, text }) => [role, text]);
    this.#count(JSON.stringify([said, maxTokens, temperature, seed, trial]), maxTokens);
    return { text: '', tokens: undefined, tokenCount: 0, stopReason: 'stop' };
  }

  #count(asked: string, tokens: number): void {
    const key = createHash('sha1').update(asked).digest('base64');
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    this.#promptBytes += Buffer.byteLength(asked);
    this.#replyTokens += tokens;
  }
}

/** The most problems whose measurement stays within the limits; 0 where not even one does. */
export async function mostProblems(wanted: number, fits: (problems: number) => Promise<boolean>): Promise<number> {
  if (await fits(wanted)) return wanted;
  let [low, high] = [0, wanted];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
