import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { importModel } from '../../src/chat/gguf/import-model.ts';
import {
  count,
  counts,
  type GgufValue,
  real,
  text,
  texts,
  type WrittenTensor,
  writeGguf,
} from '../../src/engine/local/files/gguf/gguf-writer.ts';
import { f32 } from '../../src/engine/local/files/gguf/quantise.ts';
import { readModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { temporaryFolder } from '../temporary.ts';

// That these are the models that llama.cpp computes is shown in tests/peers/gguf; here, that they stay so.

const [HIDDEN, INNER, HEADS, HEAD, VOCABULARY] = [8, 12, 2, 4, 6];

type Family = {
  readonly name: string;
  readonly layers: number;
  /** Parts of a layer by their shapes. */
  readonly parts: Readonly<Record<string, readonly number[]>>;
  readonly keys?: Readonly<Record<string, GgufValue>>;
  readonly tensors?: readonly WrittenTensor[];
};

const SQUARE = [HIDDEN, HIDDEN];
const attention = { attn_q: SQUARE, attn_k: SQUARE, attn_v: SQUARE, attn_output: SQUARE };
const units = { ffn_gate: [INNER, HIDDEN], ffn_up: [INNER, HIDDEN], ffn_down: [HIDDEN, INNER] };
const before = { attn_norm: [HIDDEN], ffn_norm: [HIDDEN] };
const behind = { post_attention_norm: [HIDDEN], post_ffw_norm: [HIDDEN] };

/** Weights that tell places apart: number i of a tensor is i / 64. */
const tensor = (name: string, shape: readonly number[]): WrittenTensor => {
  const data = Float32Array.from({ length: shape.reduce((product, side) => product * side) }, (_, at) => at / 64);
  return { name, shape, format: f32, data };
};

async function imported({ name, layers, parts, keys, tensors }: Family) {
  const place = temporaryFolder();
  const own = Object.entries(parts);
  const all = [
    tensor('token_embd.weight', [VOCABULARY, HIDDEN]),
    ...Array.from({ length: layers }, (_, layer) =>
      own.map(([part, shape]) => tensor(`blk.${layer}.${part.includes('.') ? part : `${part}.weight`}`, shape)),
    ).flat(),
    tensor('output_norm.weight', [HIDDEN]),
    ...(tensors ?? []),
  ];
  await writeGguf(join(place, 'x.gguf'), { ...common(name, layers), ...keys }, all, () => {});
  await importModel(join(place, 'x.gguf'), join(place, 'x'), () => {});
  const weights = await readModelFolder(join(place, 'x'));
  return { weights, json: JSON.parse(readFileSync(join(place, 'x', 'config.json'), 'utf8')) };
}

const common = (name: string, layers: number): Record<string, GgufValue> => ({
  'general.architecture': text(name),
  [`${name}.block_count`]: count(layers),
  [`${name}.context_length`]: count(64),
  [`${name}.embedding_length`]: count(HIDDEN),
  [`${name}.feed_forward_length`]: count(INNER),
  [`${name}.attention.head_count`]: count(HEADS),
  [`${name}.attention.key_length`]: count(HEAD),
  [`${name}.attention.layer_norm_rms_epsilon`]: real(1e-6),
  'tokenizer.ggml.model': text('gpt2'),
  'tokenizer.ggml.pre': text('gpt-2'),
  'tokenizer.ggml.tokens': texts(['a', 'b', 'c', 'd', 'e', '<end>']),
  'tokenizer.ggml.token_type': counts([1, 1, 1, 1, 1, 3]),
  'tokenizer.ggml.merges': texts([]),
  'tokenizer.ggml.eos_token_id': count(5),
});

it('Gemma 3: gains about 0, windows in five layers of six, two ropes, the tanh form', async () => {
  const { weights, json } = await imported({
    name: 'gemma3',
    layers: 7,
    parts: { ...before, ...behind, ...attention, ...units, attn_q_norm: [HEAD], attn_k_norm: [HEAD] },
    keys: { 'gemma3.attention.sliding_window': count(16), 'gemma3.rope.freq_base': real(1e6) },
  });
  expect(json).toMatchObject({ architectures: ['Gemma3ForCausalLM'], rope_theta: 1e6, rope_local_base_freq: 10_000 });
  expect(weights.config).toMatchObject({
    activation: 'gelu_tanh',
    gainOffset: 1,
    scoreScale: 0.5,
    tiedEmbedding: true,
  });
  expect(weights.config.sights.map(({ window }) => window)).toEqual([16, 16, 16, 16, 16, undefined, 16]);
  for (const name of ['model.norm.weight', 'model.layers.3.pre_feedforward_layernorm.weight']) {
    expect([...weights.get(name).data.subarray(0, 3)]).toEqual([-1, 1 / 64 - 1, 2 / 64 - 1]);
  }
  expect(weights.get('model.layers.0.self_attn.q_proj.weight').data[1]).toBe(1 / 64);
});

it('Phi-3: fused projections, a window, a part of each head that turns, factors for short and long texts', async () => {
  const factors = (length: string, ...values: number[]) => {
    const data = Float32Array.from(values);
    return { name: `rope_factors_${length}.weight`, shape: [values.length], format: f32, data };
  };
  const { weights, json } = await imported({
    name: 'phi3',
    layers: 1,
    parts: {
      ...before,
      attn_qkv: [3 * HIDDEN, HIDDEN],
      attn_output: SQUARE,
      ffn_up: [2 * INNER, HIDDEN],
      ffn_down: [HIDDEN, INNER],
    },
    keys: {
      'phi3.attention.sliding_window': count(32),
      'phi3.rope.dimension_count': count(2),
      'phi3.rope.scaling.original_context_length': count(16),
    },
    tensors: [factors('short', 1.1), factors('long', 2.3), tensor('output.weight', [VOCABULARY, HIDDEN])],
  });
  expect(json).toMatchObject({ partial_rotary_factor: 0.5, original_max_position_embeddings: 16 });
  expect(json.rope_scaling).toEqual({ rope_type: 'longrope', short_factor: [1.1], long_factor: [2.3] });
  expect(weights.config).toMatchObject({ maxPositions: 16, sights: [{ window: 32 }] });
});

it('SmolLM3: every fourth layer does not turn', async () => {
  const { weights } = await imported({ name: 'smollm3', layers: 5, parts: { ...before, ...attention, ...units } });
  expect(weights.config.sights.map(({ rope }) => rope)).toEqual([0, 0, 0, undefined, 0]);
});

it('OLMo 2: norms behind, and over all heads at once', async () => {
  const { weights } = await imported({
    name: 'olmo2',
    layers: 1,
    parts: { ...behind, ...attention, ...units, attn_q_norm: [HIDDEN], attn_k_norm: [HIDDEN] },
    tensors: [tensor('output.weight', [VOCABULARY, HIDDEN])],
  });
  expect(weights.config).toMatchObject({ architecture: 'Olmo2ForCausalLM', tiedEmbedding: false });
});

it('a Llama with biases: those of queries and keys lie as the rows do', async () => {
  const bias = Object.fromEntries(Object.keys(attention).map((part) => [`${part}.bias`, [HIDDEN]]));
  const { weights } = await imported({
    name: 'llama',
    layers: 1,
    parts: { ...before, ...attention, ...units, ...bias },
  });
  const numbers = (name: string) =>
    [...weights.get(`model.layers.0.self_attn.${name}.bias`).data].map((one) => one * 64);
  expect(numbers('v_proj')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(numbers('q_proj')).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
});

it('a mixture of experts is refused by name', async () => {
  const mixture = imported({ name: 'llama', layers: 1, parts: {}, keys: { 'llama.expert_count': count(8) } });
  await expect(mixture).rejects.toThrow('x.gguf: llama.expert_count is 8; supported is 0');
});
