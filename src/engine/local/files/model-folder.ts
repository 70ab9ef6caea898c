import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { readJson } from '../../../disk/read-json.ts';
import { ModelError } from '../../../errors.ts';
import { withAdapter } from '../model/adapter.ts';
import { parameterShapes, readConfig } from '../model/architectures.ts';
import { configText } from '../model/config-json.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { initialWeights, sizeOf, Weights } from '../model/weights.ts';
import { widenedWeights } from './float32-cache.ts';
import { readPeftFolder } from './peft-folder.ts';
import { SafetensorsFile, writeSafetensors } from './safetensors.ts';
import { type Place, type Places, storedWeights } from './stored-weights.ts';

/** @file A model as a Hugging Face folder: `config.json` and `model.safetensors`, in one piece or in shards. */

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const ADAPTER_CONFIG = 'adapter_config.json';
const HEAD = 'lm_head.weight';
const EMBEDDING = 'model.embed_tokens.weight';

/** Constants that old files carry along; they follow from the config. */
const DERIVED = /rotary_emb\.inv_freq$/;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/)) });

/** Numbers from which on weights stay in their file: below, a graph that reads them from memory is faster. */
const MAPPED_FROM = 2 ** 24;

/**
 * Reads a model, 16-bit weights widened to 32. Large ones stay in their file, or in a widened copy in the user's cache;
 * the file must not be written over while it is in use, but may be replaced. An adapter that lies in the folder is put
 * in, as transformers does with PEFT.
 * @param mappedFrom numbers from which on they do.
 * @throws ModelError in one line that names file and tensor, for anything missing, unknown, damaged or unsupported.
 */
export async function readModelFolder(folder: string, mappedFrom = MAPPED_FROM): Promise<Weights> {
  const config = await readConfig(folder);
  const files: SafetensorsFile[] = [];
  try {
    const places = await openAll(folder, files);
    checkTensors(join(folder, WEIGHTS), config, places);
    const weights = await readWeights(config, places, mappedFrom);
    if (!existsSync(join(folder, ADAPTER_CONFIG))) return weights;
    return withAdapter(weights, await readPeftFolder(folder, weights));
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

/** More than this engine's one flat array can hold. */
const TOO_MANY = 2 ** 31;

/** Random weights by seed, of the shape that `config.json` declares; the folder needs no weights of its own. */
export async function freshModel(folder: string, seed: number): Promise<Weights> {
  const config = await readConfig(folder);
  const total = sizeOf(parameterShapes(config));
  if (total < TOO_MANY) return initialWeights(config, seed, config.initializerRange);
  throw new ModelError(
    `${join(folder, 'config.json')}: asks for ${total} parameters; fewer than ${TOO_MANY} are possible`,
  );
}

/** Opens the file or the shards into `files`, which the caller closes, and says where each tensor lies. */
async function openAll(folder: string, files: SafetensorsFile[]): Promise<Places> {
  const sharded = !existsSync(join(folder, WEIGHTS)) && existsSync(join(folder, INDEX));
  const map = sharded ? await readIndex(join(folder, INDEX)) : undefined;
  const places = new Map<string, Place>();
  for (const name of new Set(map === undefined ? [WEIGHTS] : map.values())) {
    const file = await SafetensorsFile.open(join(folder, name));
    files.push(file);
    for (const tensor of file.tensors.values()) {
      const expected = map === undefined ? name : map.get(tensor.name);
      if (expected !== name) throw new ModelError(`${file.path}: ${tensor.name} is not where ${INDEX} puts it`);
      places.set(tensor.name, { file, tensor });
    }
  }
  const missing = [...(map?.keys() ?? [])].find((name) => !places.has(name));
  if (missing !== undefined) throw new ModelError(`${join(folder, INDEX)}: ${missing} is not in ${map?.get(missing)}`);
  return places;
}

async function readIndex(path: string): Promise<ReadonlyMap<string, string>> {
  const parsed = indexSchema.safeParse(await readJson(path));
  if (parsed.success) return new Map(Object.entries(parsed.data.weight_map));
  throw new ModelError(`${path}: weight_map must give a .safetensors file of the folder for each tensor`);
}

/** All that the config asks for and nothing else, before any memory is taken. */
function checkTensors(path: string, config: ModelConfig, places: Places): void {
  const shapes = parameterShapes(config);
  for (const { name, shape } of shapes) {
    const place = places.get(name);
    if (place === undefined) throw new ModelError(`${path}: ${name} is missing, which config.json asks for`);
    checkShape(place, shape);
  }
  const known = new Set(shapes.map(({ name }) => name));
  for (const [name, place] of places) {
    if (name === HEAD && config.tiedEmbedding) checkShape(place, [config.vocabSize, config.hiddenSize]);
    else if (!known.has(name) && !DERIVED.test(name)) {
      throw new ModelError(`${place.file.path}: ${name} is unknown; config.json asks for no such tensor`);
    }
  }
}

function checkShape({ file, tensor }: Place, shape: readonly number[]): void {
  if (isDeepStrictEqual(tensor.shape, shape)) return;
  const given = `${tensor.name} has the shape [${tensor.shape.join(', ')}]`;
  throw new ModelError(`${file.path}: ${given}; config.json asks for [${shape.join(', ')}]`);
}

async function readWeights(config: ModelConfig, places: Places, mappedFrom: number): Promise<Weights> {
  const head = config.tiedEmbedding ? places.get(HEAD) : undefined;
  if (head !== undefined) await checkTied(head, places.get(EMBEDDING)!); // checked to be there
  const isLarge = sizeOf(parameterShapes(config)) >= mappedFrom;
  const stored = isLarge ? (storedWeights(config, places) ?? (await widenedWeights(config, places))) : undefined;
  const weights = new Weights(config, stored);
  if (stored !== undefined) return weights;
  for (const { name, data } of weights.parameters) await readPlace(places.get(name)!, data); // checked to be there
  return weights;
}

const readPlace = ({ file, tensor }: Place, target: Float32Array): Promise<void> => file.read(tensor, target);

/** Some writers store the tied head as well. It may not say anything else. */
async function checkTied(head: Place, embedding: Place): Promise<void> {
  const [one, other] = [await bytesAt(head), await bytesAt(embedding)];
  if (Buffer.compare(one, other) === 0) return;
  throw new ModelError(`${head.file.path}: ${HEAD} differs from the embedding, but tie_word_embeddings is true`);
}

async function bytesAt(place: Place): Promise<Uint8Array> {
  const data = new Float32Array(place.tensor.shape.reduce((product, size) => product * size, 1));
  await readPlace(place, data);
  return new Uint8Array(data.buffer);
}

/** Writes `model.safetensors` into a folder that is there. @throws RunError where the file system refuses. */
export function writeWeights(folder: string, weights: Weights): Promise<void> {
  return writeSafetensors(join(folder, WEIGHTS), weights.parameters, { format: 'pt' });
}

/** Writes `config.json` and `model.safetensors` into a folder that is there. */
export async function writeModelFolder(folder: string, weights: Weights): Promise<void> {
  await writeFile(join(folder, 'config.json'), configText(weights.config));
  await writeWeights(folder, weights);
}
