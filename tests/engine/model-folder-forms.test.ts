import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModelFolder, writeModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { readConfig } from '../../src/engine/local/model/architectures.ts';
import { configText, huggingFaceConfig } from '../../src/engine/local/model/config-json.ts';
import { initialWeights, type Weights } from '../../src/engine/local/model/weights.ts';
import { fromFloat16, joinFile, narrowed, parseFile, type RawFile, toBfloat16, toFloat16 } from './safetensors-file.ts';
import { QWEN2, QWEN3, tinyModel } from './tiny-model.ts';

const MISTRAL = { architectures: ['MistralForCausalLM'], model_type: 'mistral' };
const GEMMA3 = {
  architectures: ['Gemma3ForCausalLM'],
  model_type: 'gemma3_text',
  rope_parameters: null,
  rope_theta: null,
};
const LLAMA3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };

let folder: string;
let weights: Weights;
let file: RawFile;

const at = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unrut-forms-'));
  weights = initialWeights(tinyModel({ tie_word_embeddings: false }), 1);
  await writeModelFolder(folder, weights);
  file = parseFile(readFileSync(at('model.safetensors')));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('weights in other forms', () => {
  it('are read from shards', async () => {
    const names = Object.keys(file.header).filter((name) => name !== '__metadata__');
    const weight_map = Object.fromEntries(names.map((name, index) => [name, `part-${index % 3}.safetensors`]));
    for (const part of new Set(Object.values(weight_map))) {
      const own = names.filter((name) => weight_map[name] === part);
      writeFileSync(at(part), joinFile(only(file, own)));
    }
    writeFileSync(at('model.safetensors.index.json'), JSON.stringify({ metadata: { total_size: 1 }, weight_map }));
    rmSync(at('model.safetensors'));
    expect((await readModelFolder(folder)).flat).toEqual(weights.flat);
  });

  it('are widened from bfloat16 without loss', async () => {
    writeFileSync(at('model.safetensors'), joinFile(narrowed(file, 'BF16')));
    const read = await readModelFolder(folder);
    expect([...read.flat].map(toBfloat16)).toEqual([...weights.flat].map(toBfloat16));
    expect(read.flat.every((value) => Math.fround(value) === value)).toBe(true);
  });

  it('are widened from float16 without loss', async () => {
    writeFileSync(at('model.safetensors'), joinFile(narrowed(file, 'F16')));
    const { flat } = await readModelFolder(folder);
    const expected = [...weights.flat].map((value) => Math.sign(value) * fromFloat16(toFloat16(value) & 0x7fff));
    expect([...flat]).toEqual(expected.map((value) => value + 0));
  });

  it('may hold a tied head, as long as it is the embedding', async () => {
    const tied = { ...huggingFaceConfig(weights.config), tie_word_embeddings: true };
    writeFileSync(at('config.json'), JSON.stringify(tied));
    await expect(readModelFolder(folder)).rejects.toThrow(
      /model.safetensors: lm_head.weight differs from the embedding/,
    );
    weights.get('lm_head.weight').data.set(weights.get('model.embed_tokens.weight').data);
    await writeModelFolder(folder, weights);
    writeFileSync(at('config.json'), JSON.stringify(tied));
    expect((await readModelFolder(folder)).config.tiedEmbedding).toBe(true);
  });
});

describe('config.json', () => {
  const written = (): Record<string, unknown> => huggingFaceConfig(weights.config);
  const read = (config: Record<string, unknown>) => {
    writeFileSync(at('config.json'), JSON.stringify(config));
    return readConfig(folder);
  };

  it('says its rope base as transformers 4 and as transformers 5 write it', async () => {
    const { rope_parameters: _new, ...older } = written();
    const theta = async (config: Record<string, unknown>) =>
      Math.round((await read(config)).ropes[0]!.frequencies[1]! ** -2); // of two pairs
    expect(await theta(older)).toBe(100);
    const { rope_theta: _old, ...newer } = written();
    expect(await theta(newer)).toBe(100);
    const { rope_theta: _neither, ...without } = older;
    expect(await theta({ ...without, rope_scaling: null })).toBe(10_000);
    await expect(read({ ...written(), rope_theta: 101 })).rejects.toThrow(/rope_theta is given twice: 100 and 101/);
  });

  it('is written with points where transformers takes floats alone', () => {
    const text = configText(tinyModel({ ...GEMMA3, final_logit_softcapping: 30, rms_norm_eps: 1 }));
    expect(text).toMatch(/"final_logit_softcapping": 30\.0,\n/);
    expect(text).toMatch(/"rms_norm_eps": 1\.0,\n/);
    expect(JSON.parse(text)).toMatchObject({ final_logit_softcapping: 30, hidden_size: 8 });
  });

  it('has its defaults filled in as transformers does', async () => {
    const { num_key_value_heads: _groups, head_dim: _size, ...llama } = written();
    expect(await read(llama)).toMatchObject({ keyValueHeads: 4, headSize: 2 });
  });

  const refused: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ architectures: ['GPT2LMHeadModel'] }, /architectures.0 is "GPT2LMHeadModel"; supported is "LlamaForCaus/],
    [{ architectures: [] }, /architectures/],
    [{ model_type: 'qwen3' }, /model_type is "qwen3"; LlamaForCausalLM goes with "llama"/],
    [{ rope_parameters: { rope_type: 'llama3', rope_theta: 100 } }, /rope_parameters.factor is missing/],
    [{ rope_scaling: { type: 'linear', factor: 2 } }, /rope_parameters and rope_scaling disagree: .*; keep one/],
    [{ rope_parameters: null, rope_scaling: { type: 'linear' } }, /rope_scaling.factor is missing/],
    [{ rope_parameters: { rope_type: 'mrope' } }, /rope_parameters.rope_type is "mrope"; supported is "default", /],
    [{ rope_parameters: { rope_type: 'yarn', factor: 2, odd: 1 } }, /rope_parameters.odd is not supported/],
    [{ rope_parameters: { rope_type: 'default', type: 'mrope' } }, /names two types: default and mrope; keep one/],
    [{ rope_parameters: { rope_theta: 50 } }, /rope_theta is given twice: 50 and 100; keep one/],
    [{ rope_parameters: { ...LLAMA3, high_freq_factor: 0.5 } }, /high_freq_factor is 0.5, below low_freq_factor 1/],
    [{ is_causal: false }, /is_causal is false; supported is true/],
    [{ is_causal: null }, /is_causal is null; supported is true/],
    [{ use_bidirectional_attention: true }, /use_bidirectional_attention is true; supported is false, null/],
    [{ per_layer_config: {} }, /per_layer_config is {}; supported is null/],
    [{ attention_chunk_size: 8 }, /attention_chunk_size is 8; supported is null/],
    [{ final_logit_softcapping: 30 }, /final_logit_softcapping is 30; supported is null/],
    [{ ...GEMMA3, attn_logit_softcapping: 50 }, /attn_logit_softcapping is 50; supported is null/],
    [{ ...GEMMA3, hidden_activation: 'relu' }, /hidden_activation is "relu"; supported is "silu", "swish", "gelu_p/],
    [{ ...GEMMA3, rope_parameters: { rope_theta: 100 } }, /rope_theta is not supported/],
    [{ residual_multiplier: 0.2 }, /residual_multiplier is 0.2; supported is 1, null/],
    [{ no_rope_layers: [1, 0] }, /no_rope_layers is \[1,0\]; supported is null/],
    [{ transformers_weights: 'other.safetensors' }, /transformers_weights is "other.safetensors"; supported is null/],
    [{ sliding_window: 8 }, /sliding_window is 8; supported is null/],
    [{ ...MISTRAL, sliding_window: 8, layer_types: ['full_attention', 'full_attention'] }, /but sliding_window is 8/],
    [{ ...QWEN3, layer_types: ['full_attention', 'sliding_attention'] }, /no sliding_window applies/],
    [{ layer_types: ['full_attention'] }, /layer_types has 1 entries, for 2 layers/],
    [{ ...QWEN3, head_dim: null }, /head_dim is null/],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor is 0.5; supported is 1/],
    [{ ...QWEN2, attention_bias: true }, /attention_bias is true; supported is false/],
    [{ ...QWEN3, mlp_bias: true }, /mlp_bias is true; supported is false/],
    [{ hidden_act: 'gelu' }, /hidden_act is "gelu"; supported is "silu"/],
    [{ use_sliding_window: true }, /use_sliding_window is true; supported is false/],
    [{ layer_types: ['full_attention', 'sliding_attention'] }, /layer_types has "sliding_attention"; supported is "full/],
    [{ quantization_config: { bits: 4 } }, /quantization_config/],
    [{ num_key_value_heads: 3 }, /num_key_value_heads 3 does not divide num_attention_heads 4/],
    [{ head_dim: 3 }, /head_dim is 3; an even whole number is needed/],
    [{ hidden_size: undefined }, /hidden_size is missing/],
    [{ hidden_size: '8' }, /hidden_size is "8"/],
    [{ vocab_size: 1e12 }, /vocab_size is 1000000000000/],
    [{ num_hidden_layers: 1e9 }, /num_hidden_layers is 1000000000/],
    [{ rope_thera: 100 }, /rope_thera is not known; did you mean rope_theta\?/],
  ]; // biome-ignore format: one refusal a line
  it.each(refused)('is refused with %j', async (change, message) => {
    const error = await read({ ...written(), ...change }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: 'ModelError', message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(/^[^\n]*config\.json: [^\n]*$/);
  });
});

/** A file with these tensors alone. */
function only({ header, data }: RawFile, names: readonly string[]): RawFile {
  let begin = 0;
  const parts: Uint8Array[] = [];
  const entries = names.map((name) => {
    const [from, to] = header[name]!.data_offsets as [number, number]; // of a file that was written whole
    parts.push(data.subarray(from, to));
    const data_offsets = [begin, begin + to - from];
    begin += to - from;
    return [name, { ...header[name], data_offsets }] as const;
  });
  return { header: Object.fromEntries(entries), data: Buffer.concat(parts) };
}
