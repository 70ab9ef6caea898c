import { parseConfig } from '../src/engine/local/model/architectures.ts';

/** @file What is measured. Both sides get the same tasks, and data drawn at random, over the line protocol. */

const llama = (fields: Readonly<Record<string, number>>) =>
  parseConfig('bench', {
    architectures: ['LlamaForCausalLM'],
    num_hidden_layers: 4,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: true,
    ...fields,
  });

export const presets = {
  /** 0.45 M parameters. */
  organism: llama({
    vocab_size: 64,
    hidden_size: 96,
    intermediate_size: 256,
    num_attention_heads: 3,
    num_key_value_heads: 3,
    head_dim: 32,
  }),
  /** 3.3 M parameters. */
  small: llama({
    vocab_size: 512,
    hidden_size: 256,
    intermediate_size: 768,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 64,
  }),
};

export type Preset = keyof typeof presets;

/** SmolLM2-135M's shape. */
export const realModel = llama({
  vocab_size: 49_152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  head_dim: 64,
});

/**
 * One reinforcement step: sample, reward, train, AdamW. A completion is right if its first token is below `goodBelow`,
 * which leaves about a fifth of the groups without variance; `stop` ends it early.
 */
export const grpo = {
  preset: 'organism',
  prompts: 24,
  samples: 8,
  prompt: 20,
  tokens: 40,
  stop: 63,
  goodBelow: 12,
  /** TRL trains the whole batch at once: in 4 micro-batches it took the same time. */
  trlMicroBatches: 1,
} as const;

export type Task =
  | {
      readonly kind: 'train';
      readonly preset: Preset;
      readonly batch: number;
      readonly time: number;
      readonly steps: number;
    }
  | {
      readonly kind: 'sample';
      readonly preset: Preset;
      readonly batch: number;
      readonly prompt: number;
      readonly tokens: number;
      readonly repeats: number;
    }
  | { readonly kind: 'grpo' };

/** Work on a real model's shape. The peer cuts a batch into micro-batches of this many sequences; we cut as we do. */
export type RealTask =
  | ({ readonly kind: 'lora' | 'train'; readonly steps: number } & Sequences)
  | ({ readonly kind: 'logprobs' } & Sequences)
  | { readonly kind: 'sample'; readonly batch: number; readonly prompt: number; readonly tokens: number };

type Sequences = { readonly batch: number; readonly time: number; readonly microBatch: number };

/** A task, what it is called, what its amount counts, and the ratio to the peer that the project promises. */
export type Work = {
  readonly name: string;
  readonly task: Task | RealTask;
  readonly unit: string;
  readonly peer: 'torch' | 'trl' | 'peft';
  readonly bar?: number;
};

const sampling = (preset: Preset, batch: number, tokens: number, repeats: number): Task => {
  return { kind: 'sample', preset, batch, prompt: 16, tokens, repeats };
};

export const works: readonly Work[] = [
  {
    name: 'train organism',
    task: { kind: 'train', preset: 'organism', batch: 64, time: 64, steps: 4 },
    unit: 'tokens/s',
    peer: 'torch',
    bar: 1.15,
  },
  {
    name: 'train small',
    task: { kind: 'train', preset: 'small', batch: 8, time: 256, steps: 2 },
    unit: 'tokens/s',
    peer: 'torch',
    bar: 0.95,
  },
  { name: 'sample organism x1', task: sampling('organism', 1, 64, 6), unit: 'tokens/s', peer: 'torch', bar: 5 },
  { name: 'sample organism x32', task: sampling('organism', 32, 64, 2), unit: 'tokens/s', peer: 'torch', bar: 1.4 },
  { name: 'sample organism x192', task: sampling('organism', 192, 64, 1), unit: 'tokens/s', peer: 'torch', bar: 1.3 },
  { name: 'sample small x1', task: sampling('small', 1, 32, 6), unit: 'tokens/s', peer: 'torch' },
  { name: 'sample small x32', task: sampling('small', 32, 32, 1), unit: 'tokens/s', peer: 'torch' },
  { name: 'sample small x192', task: sampling('small', 192, 32, 1), unit: 'tokens/s', peer: 'torch' },
  { name: 'GRPO step', task: { kind: 'grpo' }, unit: 'steps/s', peer: 'trl', bar: 2 },
];

const sequences = (microBatch: number) => ({ batch: 8, time: 256, microBatch });
const decoding = (batch: number): RealTask => ({ kind: 'sample', batch, prompt: 64, tokens: 64 });

/** `--size 135m`. PEFT is fastest in micro-batches of 2 here; one batch of 8 is what its examples do. */
export const realWorks: readonly Work[] = [
  {
    name: 'LoRA r 32, peer by 2',
    task: { kind: 'lora', steps: 1, ...sequences(2) },
    unit: 'tokens/s',
    peer: 'peft',
    bar: 1.2,
  },
  {
    name: 'LoRA r 32, peer by 8',
    task: { kind: 'lora', steps: 1, ...sequences(8) },
    unit: 'tokens/s',
    peer: 'peft',
    bar: 1.5,
  },
  { name: 'logprobs 8 x 256', task: { kind: 'logprobs', ...sequences(2) }, unit: 'tokens/s', peer: 'peft', bar: 1.2 },
  { name: 'decode x1', task: decoding(1), unit: 'tokens/s', peer: 'peft', bar: 2 },
  { name: 'decode x16', task: decoding(16), unit: 'tokens/s', peer: 'peft', bar: 1.5 },
  { name: 'decode x64', task: decoding(64), unit: 'tokens/s', peer: 'peft', bar: 1.3 },
  {
    name: 'all weights, peer by 2',
    task: { kind: 'train', steps: 1, ...sequences(2) },
    unit: 'tokens/s',
    peer: 'peft',
    bar: 1,
  },
];

/** What a subject needs to know before its first task. */
export type Setup = { readonly threads: number; readonly presets: typeof presets; readonly grpo: typeof grpo };
export type RealSetup = { readonly threads: number; readonly model: typeof realModel };

export type Result = {
  /** Tokens or steps. */
  readonly amount: number;
  readonly seconds: number;
  /** Processor time of the whole process: what a busy machine does not falsify. */
  readonly cpuSeconds: number;
  /** The most memory that the process had so far, file pages included. */
  readonly peakBytes?: number;
};
