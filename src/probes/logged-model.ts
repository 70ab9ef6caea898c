import { createHash } from 'node:crypto';
import type { ChatModel, Reply, ReplyParams } from '../conversation/chat-model.ts';
import type { Conversation } from '../conversation/conversation.ts';
import type { EvalLogWriter } from '../record/inspect/eval-log-writer.ts';
import type { LoggedTranscript } from '../record/inspect/transcript-sample.ts';
import type { ProbeTranscript } from '../results/probe-report.ts';
import type { ReplyLog } from './prober.ts';

type Asked = { readonly conversation: Conversation; readonly temperature: number };

/**
 * A model whose every reply goes into an Inspect log: with its verdict where a probe gave one, else with what it was asked
 * for. Replies are written when their behaviour is measured, so no more of them are held than the probe itself holds.
 */
export class LoggedModel implements ChatModel, ReplyLog {
  readonly name: string;
  readonly can: ChatModel['can'];
  readonly #model: ChatModel;
  readonly #writer: EvalLogWriter;
  readonly #heard = new Map<Reply, Asked>();
  readonly #judged = new Map<Reply, ProbeTranscript>();

  constructor(model: ChatModel, writer: EvalLogWriter) {
    this.name = model.name;
    this.can = model.can;
    this.#model = model;
    this.#writer = writer;
  }

  async reply(conversations: readonly Conversation[], how: ReplyParams): Promise<Reply[][]> {
    const replies = await this.#model.reply(conversations, how);
    for (const [at, conversation] of conversations.entries()) {
      for (const reply of replies[at]!) this.#heard.set(reply, { conversation, temperature: how.temperature });
    }
    return replies;
  }

  logprobs(items: Parameters<ChatModel['logprobs']>[0]): ReturnType<ChatModel['logprobs']> {
    return this.#model.logprobs(items);
  }

  judged(reply: Reply, transcript: ProbeTranscript): void {
    this.#judged.set(reply, transcript);
  }

  async end(behaviour: string): Promise<void> {
    for (const [reply, asked] of this.#heard) {
      await this.#writer.add(this.#judged.get(reply) ?? unjudged(behaviour, asked, reply));
    }
    this.#heard.clear();
    this.#judged.clear();
  }
}

/** Equal conversations are trials of one sample. */
function unjudged(behaviour: string, { conversation, temperature }: Asked, reply: Reply): LoggedTranscript {
  const turns = conversation.map(({ role, text, origin }) => ({ role, text, origin }));
  const { text, tokens, refused } = reply;
  const said = { role: 'assistant' as const, origin: 'sampled' as const, text, ...(tokens && { tokens }) };
  const condition = `temperature=${temperature}`;
  const id = createHash('sha256').update(JSON.stringify(turns)).digest('hex').slice(0, 12);
  return {
    id: `${behaviour}/${condition}/${id}`,
    behaviour,
    condition,
    problem: conversation.findLast(({ role }) => role === 'user')?.text ?? '',
    turns: [...turns, said],
    ...(refused !== undefined && { outcome: { text: `refused: ${refused}`, good: false } }),
  };
}
