import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChatFormat } from '../chat/chat-format.ts';
import { realClock } from '../engine/http/clock.ts';
import { Secret } from '../engine/http/secret.ts';
import { mergedWeights } from '../engine/local/compiler/adapter-graphs.ts';
import { readModelFolder } from '../engine/local/files/model-folder.ts';
import { readPeftFolder } from '../engine/local/files/peft-folder.ts';
import { baseFor, factorShapes, type Module } from '../engine/local/model/adapter.ts';
import { parameterShapes, readConfig } from '../engine/local/model/architectures.ts';
import type { ModelConfig } from '../engine/local/model/model-config.ts';
import { sizeOf } from '../engine/local/model/weights.ts';
import { shapeOf } from '../engine/local/policy/lora-policy.ts';
import { Runtime } from '../engine/local/runtime/runtime.ts';
import { InputError, ModelError } from '../errors.ts';
import type { LoraRecipe } from '../recipe/recipe.ts';
import type { Model, ModelOptions, RunParts } from '../recipe/run-parts.ts';
import { declaredText } from '../texts/declared-text.ts';
import { examine } from '../tinker/client/conformance.ts';
import { openService, supportedModels, type TinkerConnection } from '../tinker/client/connection.ts';
import type { Finding } from '../tinker/client/finding.ts';
import { openSampler } from '../tinker/client/open-sampler.ts';
import { SampleGate } from '../tinker/client/sample-gate.ts';
import { TinkerPolicy } from '../tinker/client/tinker-policy.ts';
import type { ServiceOptions } from './options/engine-options.ts';
import { probeTarget, writeModel } from './parts.ts';
import { say } from './print.ts';

/** A checkpoint on a service takes seconds, and space that somebody pays for. */
const SAVE_EVERY = 20;

type TinkerRunModel = Model & {
  readonly policy: TinkerPolicy;
  readonly format: ChatFormat;
  /** What the recipe wants to be adapted. */
  readonly modules: readonly Module[];
};

/** The parts of a run whose model is trained by a service. The recipe's folder lends tokenizer and template. */
export function tinkerParts(parts: RunParts, options: ServiceOptions): RunParts {
  return {
    ...parts,
    openModel: (folder, how) => openModel(folder, how, options),
    probeTarget,
    exportModel: (model, source, folder) => exportModel(model as TinkerRunModel, source, folder), // openModel's own
    versions: { ...parts.versions, tinker: options.baseUrl },
  };
}

async function openModel(folder: string, how: ModelOptions, options: ServiceOptions): Promise<TinkerRunModel> {
  const { seed, lora } = how;
  if (how.fresh || lora === undefined) {
    throw new InputError('fresh: a service trains adapters on models that it has; leave --engine tinker out');
  }
  const [format, baseText, config] = await Promise.all([
    ChatFormat.open(folder),
    declaredText(folder),
    readConfig(folder),
  ]);
  const adapter = { ...lora, baseModel: options.baseModel, seed };
  const service = await openTinker(options, seed);
  await checkBaseModel(service, options);
  const gate = new SampleGate(realClock);
  const { rules, can, findings } = await examine(service, gate, adapter, { ...config, eos: format.stop });
  const policy = new TinkerPolicy(service, gate, { adapter, rules, limits: config });
  return {
    policy,
    reference: await openSampler(service, gate, { base_model: options.baseModel }, rules),
    format,
    modules: shapeOf(adapter, config).modules,
    baseText,
    parameters: sizeOf(parameterShapes(config)),
    can,
    saveEvery: options.saveEvery ?? SAVE_EVERY,
    findings: findings.map((finding) => line(options.baseUrl, finding)),
    adapter: { parameters: adapterSize(config, lora), writePeft: (to) => policy.download(to) },
  };
}

/** @throws InputError with what the service has, where it says so and this model is not among it. */
async function checkBaseModel(service: TinkerConnection, { baseUrl, baseModel }: ServiceOptions): Promise<void> {
  const models = await supportedModels(service);
  if (models === undefined || models.length === 0 || models.includes(baseModel)) return;
  throw new InputError(`--base-model ${baseModel}: ${baseUrl} does not have it; it has ${models.join(', ')}`);
}

function openTinker({ baseUrl }: ServiceOptions, seed: number): Promise<TinkerConnection> {
  const secret = Secret.of({ keyVariable: 'TINKER_API_KEY' }, undefined);
  const onWait = (what: string, seconds: number, queue: string) => {
    say(`unrut: ${baseUrl}: ${what}: no result for ${seconds} s (${queue}); goes on waiting`);
  };
  return openService(baseUrl, secret, { clock: realClock, seed, onWait });
}

const line = (baseUrl: string, { name, found, usual }: Finding): string =>
  `${baseUrl}: ${name}: ${found}${usual ? '' : ' (unlike the protocol)'}`;

function adapterSize(config: ModelConfig, lora: LoraRecipe): number {
  const tiedEmbedding = config.tiedEmbedding && !lora.trainUnembed;
  const shape = shapeOf({ ...lora, seed: 0 }, config);
  return sizeOf(factorShapes({ ...config, tiedEmbedding }, shape));
}

/** The service's adapter, merged here into the folder's weights. */
async function exportModel(
  { policy, modules }: TinkerRunModel,
  source: string,
  folder: string,
): Promise<string | undefined> {
  const beside = await mkdtemp(join(tmpdir(), 'unrut-adapter-'));
  const runtime = Runtime.open();
  try {
    await policy.download(join(beside, 'adapter'));
    const base = await readModelFolder(source);
    const adapter = await readPeftFolder(join(beside, 'adapter'), base);
    await writeModel(await mergedWeights(runtime, baseFor(base, adapter.shape), adapter), source, folder);
    const left = modules.filter((module) => !adapter.shape.modules.includes(module));
    return left.length > 0
      ? `adapter: the service adapted no ${left.join(', ')}, which the recipe asks for`
      : undefined;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    await rm(folder, { recursive: true, force: true });
    const reason = error.message.replaceAll(`${beside}/`, '');
    return `no model folder: the adapter cannot be merged here (${reason}); it is in adapter/ as it came`;
  } finally {
    await runtime.close();
    await rm(beside, { recursive: true, force: true });
  }
}
