import { parse } from 'yaml';
import { parameterShapes } from '../../src/engine/local/model/architectures.ts';
import type { ModelConfig } from '../../src/engine/local/model/model-config.ts';
import { fromFloat16 } from '../engine/safetensors-file.ts';

/** @file What an input means, said a second time and without the code under test. */

/** True where every parameter lies in the file, in the shape that the config wants, with these very numbers. */
export function tensorsMeant(bytes: Uint8Array, config: ModelConfig, flat: Float32Array): boolean {
  const length = Number(Buffer.from(bytes).readBigUInt64LE(0));
  const { __metadata__: _, ...entries } = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString('utf8'));
  const data = bytes.subarray(8 + length);
  const shapes = parameterShapes(config);
  const numbers = shapes.flatMap(({ name, shape }) => {
    const { dtype, shape: given, data_offsets } = entries[name];
    if (JSON.stringify(given) !== JSON.stringify(shape)) return [Number.POSITIVE_INFINITY];
    return readNumbers(data.slice(data_offsets[0], data_offsets[1]), dtype);
  });
  const known = Object.keys(entries).every((name) => {
    return name === 'lm_head.weight' || shapes.some((shape) => shape.name === name);
  });
  return known && numbers.length === flat.length && numbers.every((number, index) => Object.is(number, flat[index]));
}

function readNumbers(bytes: Uint8Array, dtype: string): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const every = (step: number, read: (at: number) => number) =>
    Array.from({ length: bytes.length / step }, (_, index) => read(index * step));
  if (dtype === 'F32') return every(4, (place) => view.getFloat32(place, true));
  if (dtype === 'BF16') return every(2, (place) => widened(view.getUint16(place, true)));
  return every(2, (place) => half(view.getUint16(place, true)));
}

function widened(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

function half(bits: number): number {
  const size = bits & 0x7fff;
  const value = size > 0x7c00 ? Number.NaN : size === 0x7c00 ? Number.POSITIVE_INFINITY : fromFloat16(size);
  return bits & 0x8000 ? -value : value;
}

/** An adapter_config.json of modules in their usual order, as PEFT understands it. */
export function adapterMeant(bytes: Uint8Array): unknown {
  const raw = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const off = (setting: unknown) => !setting || (typeof setting === 'object' && Object.keys(setting).length === 0);
  const plain =
    raw.peft_type === 'LORA' &&
    [undefined, 'none'].includes(raw.bias) &&
    off(raw.use_rslora) &&
    off(raw.fan_in_fan_out);
  const order = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj', 'lm_head'];
  const named = raw.target_modules ?? ['q_proj', 'v_proj', 'down_proj']; // what the tensors beside it say
  const modules = order.filter((name) => named.includes(name));
  return plain ? { rank: raw.r, alpha: raw.lora_alpha, modules } : 'nothing that is supported';
}

/** The organism's config.json as transformers understands it. */
export function configMeant(bytes: Uint8Array): unknown {
  const raw = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const plain = (value: unknown, ...allowed: unknown[]) => value === undefined || allowed.includes(value);
  const rope = raw.rope_parameters ?? raw.rope_scaling ?? {};
  const supported =
    String(raw.architectures) === 'LlamaForCausalLM' &&
    plain(raw.model_type, 'llama') &&
    plain(raw.hidden_act, 'silu') &&
    plain(raw.attention_bias, true, false, null) &&
    plain(raw.mlp_bias, true, false, null) &&
    plain(rope.rope_type ?? rope.type, 'default');
  if (!supported) return 'nothing that is supported';
  const size = raw.head_dim ?? raw.hidden_size / raw.num_attention_heads;
  const theta = rope.rope_theta ?? raw.rope_theta ?? 10_000;
  const frequencies = Array.from({ length: size / 2 }, (_, pair) => theta ** ((-2 * pair) / size));
  return {
    architecture: 'LlamaForCausalLM',
    vocabSize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    keyValueHeads: raw.num_key_value_heads ?? raw.num_attention_heads,
    headSize: size,
    scoreScale: size ** -0.5,
    activation: 'silu',
    normEpsilon: raw.rms_norm_eps,
    gainOffset: 0,
    embeddingScale: 1,
    tiedEmbedding: raw.tie_word_embeddings ?? false,
    biased: [
      ...(raw.attention_bias ? ['q_proj', 'k_proj', 'v_proj', 'o_proj'] : []),
      ...(raw.mlp_bias ? ['gate_proj', 'up_proj', 'down_proj'] : []),
    ],
    ropes: [{ frequencies, scale: 1 }],
    sights: Array.from({ length: raw.num_hidden_layers }, () => ({ rope: 0 })),
    maxPositions: raw.max_position_embeddings,
    initializerRange: raw.initializer_range ?? 0.02,
    huggingFace: raw,
  };
}

/** Ids of a text by a tokenizer.json of the organism's kind: the longest added token, else one character. */
export function idsMeant(bytes: Uint8Array, text: string): number[] {
  const { added_tokens, model } = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const added: { content: string; id: number }[] = [...added_tokens];
  added.sort((a, b) => b.content.length - a.content.length);
  const ids: number[] = [];
  for (let place = 0; place < text.length; ) {
    const token = added.find(({ content }) => text.startsWith(content, place));
    const character = String.fromCodePoint(text.codePointAt(place)!);
    ids.push(token?.id ?? model.vocab[character]);
    place += (token?.content ?? character).length;
  }
  return ids;
}

/** True where nothing that a recipe says was left out or changed when its defaults were filled in. */
export function recipeKept(bytes: Uint8Array, resolved: unknown): boolean {
  return kept(parse(Buffer.from(bytes).toString('utf8')), resolved);
}

function kept(said: unknown, made: unknown): boolean {
  if (typeof said !== 'object' || said === null) return Object.is(said, made);
  if (typeof made !== 'object' || made === null || Array.isArray(said) !== Array.isArray(made)) return false;
  if (Array.isArray(said) && said.length !== Object.keys(made).length) return false;
  return Object.entries(said).every(([key, value]) => kept(value, (made as Record<string, unknown>)[key]));
}
