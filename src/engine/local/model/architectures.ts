import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../../disk/read-json.ts';
import { ModelError } from '../../../errors.ts';
import type { Architecture } from './architecture.ts';
import type { Raw } from './config-fields.ts';
import { gemma3 } from './families/gemma3.ts';
import { llama } from './families/llama.ts';
import { mistral } from './families/mistral.ts';
import { olmo2 } from './families/olmo2.ts';
import { phi3 } from './families/phi3.ts';
import { qwen2 } from './families/qwen2.ts';
import { qwen3 } from './families/qwen3.ts';
import { smolLm3 } from './families/smollm3.ts';
import type { ModelConfig, ParameterShape } from './model-config.ts';

/** Every architecture that is understood, by its class in transformers. */
const architectures = new Map(
  [llama, mistral, qwen2, qwen3, smolLm3, phi3, olmo2, gemma3].map((each) => [each.name, each]),
);

/** Makes one more family known to everything in this process that reads model folders; replaces one of the same name. */
export function addArchitecture(architecture: Architecture): void {
  architectures.set(architecture.name, architecture);
}

/** @throws ModelError where none has this name. */
export function architectureOf({ architecture }: Pick<ModelConfig, 'architecture'>): Architecture {
  const found = architectures.get(architecture);
  if (found === undefined) throw new ModelError(`architecture "${architecture}" is not known; known are ${known()}`);
  return found;
}

const known = (): string => [...architectures.keys()].map((name) => `"${name}"`).join(', ');

/** Reads `config.json` of a folder. @throws ModelError in one line that names the field, and what is supported. */
export async function readConfig(folder: string): Promise<ModelConfig> {
  const path = join(folder, 'config.json');
  if (!existsSync(path) && existsSync(join(folder, 'adapter_config.json'))) {
    throw new ModelError(
      `${folder}: holds an adapter alone; copy its adapter_* files into the folder of its base model`,
    );
  }
  return parseConfig(path, await readJson(path));
}

/** Understands the fields of a `config.json`. @param path for messages. @throws ModelError as {@link readConfig}. */
export function parseConfig(path: string, value: Raw): ModelConfig {
  const { architectures: names, model_type: modelType } = value;
  if (!Array.isArray(names) || names.length !== 1) {
    throw new ModelError(`${path}: architectures is ${JSON.stringify(names)}; a list of one name is needed`);
  }
  const found = architectures.get(names[0]);
  if (found === undefined) {
    throw new ModelError(`${path}: architectures.0 is ${JSON.stringify(names[0])}; supported is ${known()}`);
  }
  if (modelType !== undefined && modelType !== found.modelType) {
    const given = JSON.stringify(modelType);
    throw new ModelError(`${path}: model_type is ${given}; ${found.name} goes with "${found.modelType}"`);
  }
  return found.readConfig(path, value);
}

/** Every parameter under its Hugging Face name, in the order in which they lie in the flat weight array. */
export function parameterShapes(config: ModelConfig): readonly ParameterShape[] {
  const { vocabSize, hiddenSize, layers, tiedEmbedding } = config;
  const { parameters } = architectureOf(config);
  return [
    { name: 'model.embed_tokens.weight', shape: [vocabSize, hiddenSize] },
    ...Array.from({ length: layers }, (_, layer) => parameters(config, `model.layers.${layer}`)).flat(),
    { name: 'model.norm.weight', shape: [hiddenSize] },
    ...(tiedEmbedding ? [] : [{ name: 'lm_head.weight', shape: [vocabSize, hiddenSize] }]),
  ];
}
