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

/** A task, what it is called, what its amount counts, and the ratio to the peer that the project promises. */
export type Work = {
  readonly name: string;
  readonly task: Task;
  readonly unit: string;
  readonly peer: 'torch' | 'trl';
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

/** What a subject needs to know before its first task. */
export type Setup = { readonly threads: number; readonly presets: typeof presets; readonly grpo: typeof grpo };

export type Result = {
  /** Tokens or steps. */
  readonly amount: number;
  readonly seconds: number;
  /** Processor time of the whole process: what a busy machine does not falsify. */
  readonly cpuSeconds: number;
};
