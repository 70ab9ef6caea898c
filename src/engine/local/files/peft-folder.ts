import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { readJson } from '../../../disk/read-json.ts';
import { writeWholeFolder } from '../../../disk/whole-folder.ts';
import { ModelError } from '../../../errors.ts';
import {
  ADAPTABLE,
  type Adapter,
  type AdapterShape,
  adaptedConfig,
  factorShapes,
  type Module,
  modulesOf,
} from '../model/adapter.ts';
import type { ModelConfig, ParameterShape } from '../model/model-config.ts';
import { sharedFloats, sizeOf, type Weights, windows } from '../model/weights.ts';
import { SafetensorsFile, type StoredTensor, writeSafetensors } from './safetensors.ts';

/** @file An adapter as Hugging Face's PEFT writes it: `adapter_config.json` and `adapter_model.safetensors`. */

const CONFIG = 'adapter_config.json';
const TENSORS = 'adapter_model.safetensors';

/** PEFT names a factor from the outermost wrapper on. */
const PREFIX = 'base_model.model.';

/** Writes the adapter into a folder of its own; it is there whole or not at all. */
export function writePeftFolder(folder: string, adapter: Adapter, baseModel?: string): Promise<void> {
  return writeWholeFolder(folder, (beside) => writePeftFiles(beside, adapter, baseModel));
}

/** Writes the two files into a folder that is there. */
export async function writePeftFiles(folder: string, adapter: Adapter, baseModel: string | undefined): Promise<void> {
  const { config, shape, flat } = adapter;
  await writeFile(join(folder, CONFIG), `${JSON.stringify(peftConfig(shape, baseModel), null, 2)}\n`);
  const tensors = windows(flat, factorShapes(config, shape)).map((each) => ({ ...each, name: PREFIX + each.name }));
  await writeSafetensors(join(folder, TENSORS), tensors, { format: 'pt' });
}

function peftConfig({ rank, alpha, modules }: AdapterShape, baseModel: string | undefined): object {
  return {
    base_model_name_or_path: baseModel ?? null,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: alpha,
    lora_dropout: 0,
    peft_type: 'LORA',
    r: rank,
    target_modules: modules,
    task_type: 'CAUSAL_LM',
    use_rslora: false,
  };
}

const configSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z
    .int()
    .positive()
    .max(2 ** 16),
  lora_alpha: z.number().positive(),
  /** Null where its writer left the choice to PEFT; the names of the tensors say it then. */
  target_modules: z.array(z.enum(ADAPTABLE)).min(1).nullish(),
  bias: z.literal('none').default('none'),
  init_lora_weights: z.union([z.boolean(), z.literal('gaussian')]).nullish(),
});

/** Fields that change nothing about what a finished adapter computes. */
const HARMLESS = new Set([
  ...Object.keys(configSchema.shape),
  'auto_mapping',
  'base_model_name_or_path',
  'inference_mode',
  'layers_pattern',
  'lora_dropout',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
  'runtime_config',
  'task_type',
]);

/**
 * Reads an adapter, whoever trained it.
 * @param base the model that it adapts.
 * @param wanted rank and modules that it must have; absent means any.
 * @throws ModelError in one line that names file and field, for anything missing, unknown, damaged or unsupported.
 */
export async function readPeftFolder(
  folder: string,
  base: Weights,
  wanted?: Pick<AdapterShape, 'rank' | 'modules'>,
): Promise<Adapter> {
  const shape = await readPeftShape(folder);
  if (wanted !== undefined) checkWanted(join(folder, CONFIG), shape, wanted);
  checkModules(join(folder, CONFIG), shape, base.config);
  const file = await SafetensorsFile.open(join(folder, TENSORS));
  try {
    return await readFactors(file, base, shape);
  } finally {
    await file.close();
  }
}

/** @throws ModelError where the base has no such matrix: a family may have fused or divided it. */
function checkModules(path: string, { modules }: AdapterShape, config: ModelConfig): void {
  const known = modulesOf(config);
  const foreign = modules.find((module) => !known.includes(module));
  if (foreign === undefined) return;
  throw new ModelError(
    `${path}: target_modules has ${foreign}, which ${config.architecture} does not have; it has ${known.join(', ')}`,
  );
}

/** What the two files declare. @throws ModelError naming the field that is missing or unsupported. */
export async function readPeftShape(folder: string): Promise<AdapterShape> {
  const path = join(folder, CONFIG);
  const value = await readJson(path);
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) throw refusal(path, parsed.error.issues[0]!, value); // a failed parse has an issue
  const { r, lora_alpha, target_modules } = parsed.data;
  const odd = Object.entries(value).find(([name, setting]) => !HARMLESS.has(name) && isSwitchedOn(setting));
  if (odd !== undefined) {
    throw new ModelError(`${path}: ${odd[0]} is ${shown(odd[1])}, which is not supported; train the adapter without`);
  }
  const modules = target_modules ?? (await adaptedModules(join(folder, TENSORS)));
  return { rank: r, alpha: lora_alpha, modules: ADAPTABLE.filter((name) => modules.includes(name)) };
}

/** The modules that have factors. @throws ModelError where none has. */
async function adaptedModules(path: string): Promise<Module[]> {
  const file = await SafetensorsFile.open(path);
  try {
    const names = [...file.tensors.keys()];
    const modules = ADAPTABLE.filter((module) => names.some((name) => name.endsWith(`.${module}.lora_A.weight`)));
    if (modules.length > 0) return modules;
    throw new ModelError(
      `${path}: no tensor is a factor of ${ADAPTABLE.join(', ')}, and ${CONFIG} has no target_modules`,
    );
  } finally {
    await file.close();
  }
}

/** Variants of LoRA are off while their field is null, false or empty. */
function isSwitchedOn(setting: unknown): boolean {
  if (setting === null || setting === false) return false;
  return typeof setting !== 'object' || Object.keys(setting).length > 0;
}

const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 80);

function refusal(path: string, issue: z.core.$ZodIssue, value: unknown): ModelError {
  const field = issue.path.join('.');
  const given = issue.path.reduce((at: unknown, key) => Object(at)[key], value);
  if (given === undefined) return new ModelError(`${path}: ${field} is missing; a LoRA of PEFT needs it`);
  const supported =
    'values' in issue ? `supported is ${issue.values.map((one) => JSON.stringify(one)).join(', ')}` : issue.message;
  return new ModelError(`${path}: ${field} is ${shown(given)}; ${supported}`);
}

function checkWanted(path: string, given: AdapterShape, wanted: Pick<AdapterShape, 'rank' | 'modules'>): void {
  const fields = [
    ['r', given.rank, wanted.rank],
    ['target_modules', given.modules, wanted.modules],
  ] as const;
  for (const [field, have, want] of fields) {
    if (isDeepStrictEqual(have, want)) continue;
    throw new ModelError(
      `${path}: ${field} is ${shown(have)}, but this policy's is ${shown(want)}; load another folder`,
    );
  }
}

async function readFactors(file: SafetensorsFile, base: Weights, shape: AdapterShape): Promise<Adapter> {
  const config = adaptedConfig(base.config, shape);
  const shapes = factorShapes(config, shape);
  const places = shapes.map((factor) => placeOf(file, factor)); // all of them, before any memory is taken
  const flat = sharedFloats(sizeOf(shapes));
  for (const [nth, { data }] of windows(flat, shapes).entries()) await file.read(places[nth]!, data);
  const known = new Set(places);
  for (const stored of file.tensors.values()) if (!known.has(stored)) await checkCopy(file, stored, base);
  return { config, shape, flat };
}

function placeOf(file: SafetensorsFile, { name, shape }: ParameterShape): StoredTensor {
  const stored = file.tensors.get(PREFIX + name);
  if (stored !== undefined && isDeepStrictEqual(stored.shape, shape)) return stored;
  const wanted = `${PREFIX}${name} of shape [${shape.join(', ')}]`;
  throw new ModelError(`${file.path}: ${wanted} is missing, which ${CONFIG} and the base model ask for`);
}

/** PEFT adds a copy of a head or an embedding that it adapts. It may not say anything else than the base does. */
async function checkCopy(file: SafetensorsFile, stored: StoredTensor, base: Weights): Promise<void> {
  const name = stored.name.slice(PREFIX.length).replace('.base_layer.', '.');
  const copied = name === 'lm_head.weight' && base.config.tiedEmbedding ? 'model.embed_tokens.weight' : name;
  const original = base.parameters.find((parameter) => stored.name.startsWith(PREFIX) && parameter.name === copied);
  if (original === undefined) throw new ModelError(`${file.path}: ${stored.name} is unknown; ${CONFIG} asks for none`);
  const data = new Float32Array(original.data.length);
  if (isDeepStrictEqual(stored.shape, original.shape)) {
    await file.read(stored, data);
    if (Buffer.from(data.buffer).equals(bytesOf(original.data))) return;
  }
  throw new ModelError(
    `${file.path}: ${stored.name} is not the base model's; load the adapter on the model it was trained on`,
  );
}

const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
