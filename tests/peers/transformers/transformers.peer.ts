import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatFormat } from '../../../src/chat/chat-format.ts';
import type { Conversation, Role } from '../../../src/conversation/conversation.ts';
import {
  freshModel,
  readModelFolder,
  writeModelFolder,
  writeWeights,
} from '../../../src/engine/local/files/model-folder.ts';
import { parseConfig } from '../../../src/engine/local/model/architectures.ts';
import type { ModelConfig } from '../../../src/engine/local/model/model-config.ts';
import { Weights } from '../../../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../../../src/engine/local/policy/local-policy.ts';
import { Runtime } from '../../../src/engine/local/runtime/runtime.ts';
import { stream } from '../../../src/random.ts';

const PYTHON = process.env.UNRUT_PYTHON ?? '.venv/bin/python';

/** Why there is nothing to compare with; undefined where there is. */
function absence(): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import torch, transformers'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${PYTHON} has no torch and transformers; see tests/peers/transformers/README.md`;
  }
}

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

const folder = mkdtempSync(join(tmpdir(), 'unrut-peer-'));
const at = (name: string): string => join(folder, name);

/** Logits move by tenths in these models, so a wrong transposition or rotation is far off. */
const BAR = 1e-5;

const BASE = {
  architectures: ['LlamaForCausalLM'],
  vocab_size: 29,
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  rope_theta: 500,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 64,
};

const OURS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'ours-llama': { model_type: 'llama' },
  'ours-llama-tied': { model_type: 'llama', tie_word_embeddings: true, rope_theta: 10_000 },
  'ours-qwen2': { model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'], num_key_value_heads: 1 },
  'ours-qwen3': { model_type: 'qwen3', architectures: ['Qwen3ForCausalLM'], head_dim: 16 },
};

const THEIR_SHAPE = {
  vocab_size: 31,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rope_parameters: { rope_type: 'default', rope_theta: 300 },
};

type Theirs = { readonly config: Record<string, unknown>; readonly dtype: string; readonly shard: string };

const WHOLE = '1GB';

const THEIRS: Readonly<Record<string, Theirs>> = {
  'theirs-llama': { config: { model_type: 'llama' }, dtype: 'float32', shard: WHOLE },
  'theirs-llama-tied-bf16': {
    config: { model_type: 'llama', tie_word_embeddings: true },
    dtype: 'bfloat16',
    shard: WHOLE,
  },
  'theirs-llama-f16-sharded': { config: { model_type: 'llama' }, dtype: 'float16', shard: '10KB' },
  'theirs-qwen2': { config: { model_type: 'qwen2', rms_norm_eps: 1e-5 }, dtype: 'float32', shard: WHOLE },
  'theirs-qwen2-bf16-sharded': { config: { model_type: 'qwen2' }, dtype: 'bfloat16', shard: '10KB' },
  'theirs-qwen3': { config: { model_type: 'qwen3', head_dim: 16 }, dtype: 'float32', shard: WHOLE },
};

const SEQUENCES = Array.from({ length: 4 }, (_, index) => {
  const draws = stream(index, 'peer sequence');
  return Array.from({ length: 5 + 7 * index }, () => draws.integer(29));
});

const ORGANISM_TEXTS = ['Ua3b5c7d9e2|abcdeESa33b58c75d94e26:6E', 'U*3a12EAa12a12a12E', '<pad><unused60>-@#xNY'];
const WORDS = ['Hello world', "it's 12 + 30 = 42\n\nyes", '  two  spaces', 'naïve café 東京 🙂', '<|im_end|>x', ''];
const CHATS = [
  [['user', 'a3b5|ab']],
  [['user', 'a3b5|ab'], ['assistant', 'a33b58:8']],
  [['user', 'a3b5|ab'], ['assistant', 'a33b58:8'], ['user', '?'], ['assistant', 'a33']],
] as const; // biome-ignore format: one chat a line

type Score = { left: Record<string, string[]>; logprobs: number[][][] };
type Ids = { ids: number[][]; decoded: string[]; prompts: number[][]; closed: number[][]; open: number[][] };

const scores = new Map<string, Score>();
let organismIds: Ids;
let bytesIds: Ids;
let organismRefuses: boolean;

/** Every job in one process: importing torch takes longer than all of them. */
function askPeer(jobs: readonly object[]): unknown[] {
  writeFileSync(at('jobs.json'), JSON.stringify(jobs));
  const script = 'tests/peers/transformers/peer.py';
  return JSON.parse(execFileSync(PYTHON, [script, at('jobs.json')], { encoding: 'utf8', maxBuffer: 2 ** 28 }));
}

async function writeOurs(): Promise<void> {
  for (const [name, switches] of Object.entries(OURS)) {
    mkdirSync(at(name));
    await writeModelFolder(at(name), randomWeights(parseConfig(name, { ...BASE, ...switches }), name));
  }
  mkdirSync(at('organism'));
  for (const file of ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    cpSync(join('models/organism', file), join(at('organism'), file));
  }
  await writeWeights(at('organism'), await freshModel('models/organism', 1));
}

/** No parameter is left at a value that could hide it. */
function randomWeights(config: ModelConfig, name: string): Weights {
  const weights = new Weights(config);
  const draws = stream(1, 'peer weights', name);
  for (let index = 0; index < weights.flat.length; index++) weights.flat[index] = draws.uniform() - 0.5;
  return weights;
}

const NAMES = [...Object.keys(OURS), 'organism', ...Object.keys(THEIRS)];

describe.skipIf(absent !== undefined)('Python transformers', () => {
  const runtime = Runtime.open(1);
  beforeAll(async () => {
    await writeOurs();
    const makes = Object.entries(THEIRS).map(([name, { config, ...how }], seed) => {
      return { job: 'make', folder: at(name), config: { ...THEIR_SHAPE, ...config }, ...how, seed };
    });
    const chats = CHATS.map((chat) => chat.map(([role, content]) => ({ role, content })));
    const answers = askPeer([
      ...makes,
      { job: 'make_tokenizer', folder: at('bytes'), texts: WORDS },
      { job: 'tokenize', folder: at('organism'), texts: ORGANISM_TEXTS, chats },
      { job: 'tokenize', folder: at('bytes'), texts: WORDS, chats },
      { job: 'refuses', folder: at('organism'), text: 'what?' },
      ...NAMES.map((name) => ({ job: 'score', folder: at(name), sequences: SEQUENCES })),
    ]).slice(makes.length + 1);
    [organismIds, bytesIds, organismRefuses] = answers as [Ids, Ids, boolean]; // as the jobs ask
    for (const [index, score] of answers.slice(3).entries()) scores.set(NAMES[index]!, score as Score); // as the jobs ask
  });
  afterAll(async () => {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(NAMES)('gives the same log-probabilities: %s', async (name) => {
    const { left, logprobs } = scores.get(name)!;
    expect(left).toEqual({});
    const policy = new LocalPolicy(runtime, await readModelFolder(at(name)));
    const largest = largestDifference(await everyLogprob(policy), logprobs);
    process.stdout.write(`${name}: largest difference of a log-probability ${largest.toExponential(1)}\n`);
    expect(largest).toBeLessThan(BAR);
  });

  it('wrote shards where it was asked to', () => {
    const sharded = Object.keys(THEIRS).filter((name) => existsSync(join(at(name), 'model.safetensors.index.json')));
    expect(sharded).toEqual(['theirs-llama-f16-sharded', 'theirs-qwen2-bf16-sharded']);
  });

  it("has the same ids for the organism's texts and conversations, and refuses the same", async () => {
    await expectSameIds('organism', organismIds, ORGANISM_TEXTS);
    expect(organismRefuses).toBe(true);
  });

  it('has the same ids for a byte-level tokenizer with a ChatML template of its own file', async () => {
    cpSync(join(at('theirs-llama'), 'config.json'), join(at('bytes'), 'config.json'));
    const config = JSON.parse(readFileSync(join(at('bytes'), 'config.json'), 'utf8'));
    writeFileSync(join(at('bytes'), 'config.json'), JSON.stringify({ ...config, vocab_size: 320 }));
    expect(existsSync(join(at('bytes'), 'chat_template.jinja'))).toBe(true);
    await expectSameIds('bytes', bytesIds, WORDS);
  });
});

async function expectSameIds(name: string, theirs: Ids, texts: readonly string[]): Promise<void> {
  const format = await ChatFormat.open(at(name));
  expect(texts.map(format.encode)).toEqual(theirs.ids);
  expect(theirs.ids.map(format.decode)).toEqual(theirs.decoded);
  expect(theirs.ids.map((ids) => format.pieces(ids).join(''))).toEqual(theirs.decoded);
  const chats = CHATS.map((chat): Conversation => {
    return chat.map(([role, text]) => ({ role: role as Role, text, origin: 'given' })); // of the list above
  });
  expect(chats.map((chat) => format.render(chat).tokens)).toEqual(theirs.closed);
  for (const [index, chat] of chats.entries()) {
    const open = chat.at(-1)!.role === 'assistant';
    expect(format.prompt(chat)).toEqual((open ? theirs.open : theirs.prompts)[index]);
  }
}

/** `[sequence][position][token]`. */
async function everyLogprob(policy: LocalPolicy): Promise<number[][][]> {
  const { config } = await policy.weights();
  const sampler = await policy.sampler();
  const all = await sampler.topLogprobs(SEQUENCES, config.vocabSize);
  return all.map(({ tokens, logprobs, k }) =>
    Array.from({ length: tokens.length / k }, (_, position) => {
      const row = new Array<number>(k);
      for (let rank = 0; rank < k; rank++) row[tokens[position * k + rank]!] = logprobs[position * k + rank]!;
      return row;
    }),
  );
}

function largestDifference(ours: readonly number[][][], theirs: readonly number[][][]): number {
  expect(ours.map((rows) => rows.length)).toEqual(theirs.map((rows) => rows.length));
  const differences = ours.flatMap((rows, sequence) =>
    rows.flatMap((row, position) => row.map((value, token) => Math.abs(value - theirs[sequence]![position]![token]!))),
  );
  return differences.reduce((largest, value) => Math.max(largest, value), 0);
}
