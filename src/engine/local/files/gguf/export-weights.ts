import { z } from 'zod';
import { ModelError } from '../../../../errors.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { Parameter, Weights } from '../../model/weights.ts';
import { GGUF_ARCHITECTURES, type GgufArchitecture, ggufName } from './architectures.ts';
import { count, type GgufValue, real, text, type WrittenTensor } from './gguf-writer.ts';
import { EXPORT_TYPES, type ExportType, f16, f32 } from './quantise.ts';
import { llama3Factors, llama3Schema, ROPE_FACTORS } from './rope-scaling.ts';

/** The tensors of a model and the metadata that describes its shape. */
export type ExportedWeights = {
  readonly metadata: Readonly<Record<string, GgufValue>>;
  readonly tensors: readonly WrittenTensor[];
};

/**
 * Matrices in the given type, or as F16 where a row is no whole number of blocks; vectors as F32, as llama.cpp wants them.
 * @throws ModelError naming what the format cannot express.
 */
export function exportedWeights(weights: Weights, type: ExportType): ExportedWeights {
  const { config } = weights;
  const architecture = writableAs(config);
  const rope = exportedRope(config, architecture);
  return {
    metadata: {
      'general.architecture': text(architecture.name),
      'general.type': text('model'),
      'general.file_type': count(EXPORT_TYPES[type].file),
      'general.quantization_version': count(2),
      ...shapeKeys(config, architecture.name),
      ...rope.metadata,
    },
    tensors: [...rope.tensors, ...weights.parameters.map((each) => exportedTensor(each, config, architecture, type))],
  };
}

function writableAs({ architecture, activation, ropes }: ModelConfig): GgufArchitecture {
  const written = GGUF_ARCHITECTURES.filter(({ exported }) => exported);
  const found = written.find(({ className }) => className === architecture);
  if (found === undefined) {
    const known = written.map(({ className }) => className).join(', ');
    throw new ModelError(`${architecture} cannot be written as GGUF; supported are ${known}`);
  }
  if (activation !== 'silu' || ropes.length !== 1) {
    throw new ModelError(`a ${architecture} with hidden_act "${activation}" cannot be written as GGUF`);
  }
  return found;
}

function shapeKeys(config: ModelConfig, name: string): Record<string, GgufValue> {
  return {
    [`${name}.block_count`]: count(config.layers),
    [`${name}.context_length`]: count(config.maxPositions),
    [`${name}.embedding_length`]: count(config.hiddenSize),
    [`${name}.feed_forward_length`]: count(config.intermediateSize),
    [`${name}.attention.head_count`]: count(config.heads),
    [`${name}.attention.head_count_kv`]: count(config.keyValueHeads),
    [`${name}.attention.key_length`]: count(config.headSize),
    [`${name}.attention.value_length`]: count(config.headSize),
    [`${name}.attention.layer_norm_rms_epsilon`]: real(config.normEpsilon),
    [`${name}.rope.dimension_count`]: count(config.headSize),
    [`${name}.vocab_size`]: count(config.vocabSize),
  };
}

const ropeSchema = z.object({
  rope_theta: z.number().nullish(),
  rope_scaling: z.looseObject({ rope_type: z.string().optional(), type: z.string().optional() }).nullish(),
  rope_parameters: z.looseObject({ rope_type: z.string().optional(), rope_theta: z.number().optional() }).nullish(),
});

function exportedRope({ huggingFace, headSize, sights }: ModelConfig, { name }: GgufArchitecture): ExportedWeights {
  const { rope_theta, rope_scaling, rope_parameters } = ropeSchema.parse(huggingFace);
  const theta = rope_parameters?.rope_theta ?? rope_theta ?? 10_000;
  const scaling = rope_scaling ?? rope_parameters ?? {};
  const type = scaling.rope_type ?? scaling.type ?? 'default';
  if (sights.some(({ rope, window }) => rope === undefined || window !== undefined)) {
    throw new ModelError('a sliding window, or a layer without rotation, cannot be written as GGUF');
  }
  const base = { [`${name}.rope.freq_base`]: real(theta) };
  if (type === 'default') return { metadata: base, tensors: [] };
  if (type === 'linear') {
    const { factor } = z.object({ factor: z.number() }).parse(scaling);
    const keys = { [`${name}.rope.scaling.type`]: text('linear'), [`${name}.rope.scaling.factor`]: real(factor) };
    return { metadata: { ...base, ...keys }, tensors: [] };
  }
  if (type !== 'llama3') throw new ModelError(`rope_type "${type}" cannot be written as GGUF`);
  const data = Float32Array.from(llama3Factors(llama3Schema.parse(scaling), theta, headSize));
  return { metadata: base, tensors: [{ name: ROPE_FACTORS, shape: [data.length], format: f32, data }] };
}

function exportedTensor(
  { name, shape, data }: Parameter,
  { headSize }: ModelConfig,
  architecture: GgufArchitecture,
  type: ExportType,
): WrittenTensor {
  const theirs = ggufName(name, architecture);
  if (theirs === undefined) throw new ModelError(`${name} has no name in GGUF`);
  const turned = architecture.interleaved && /\.[qk]_proj\./.test(name);
  const [rows = 1, width = 1] = shape;
  const { format } = EXPORT_TYPES[type];
  const fitting = shape.length === 1 ? f32 : width % format.weights === 0 ? format : f16;
  return { name: theirs, shape, format: fitting, data: turned ? interleave(data, rows, width, headSize) : data };
}

/** Rows of each head as 0, half, 1, half + 1, ... */
function interleave(data: Float32Array, rows: number, width: number, headSize: number): Float32Array {
  const mixed = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const [head, within] = [Math.floor(row / headSize), row % headSize];
    const from = head * headSize + (within >> 1) + (within & 1) * (headSize / 2);
    mixed.set(data.subarray(from * width, (from + 1) * width), row * width);
  }
  return mixed;
}
