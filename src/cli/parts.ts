import { cp, mkdir, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ChatFormat } from '../chat/chat-format.ts';
import { LocalChatModel } from '../chat/local-chat-model.ts';
import { writing } from '../disk/write.ts';
import type { Sampler } from '../engine/engine.ts';
import { freshModel, readModelFolder, writeModelFolder } from '../engine/local/files/model-folder.ts';
import { writePeftFolder } from '../engine/local/files/peft-folder.ts';
import type { Weights } from '../engine/local/model/weights.ts';
import type { GraphPolicy } from '../engine/local/policy/graph-policy.ts';
import { LocalPolicy } from '../engine/local/policy/local-policy.ts';
import { LoraPolicy } from '../engine/local/policy/lora-policy.ts';
import { Runtime } from '../engine/local/runtime/runtime.ts';
import { createProber } from '../probes/all-probes.ts';
import { baseTextLogprobs } from '../probes/base-text.ts';
import { FAMILIES } from '../problems/families.ts';
import type { Model, ModelOptions, ModelText, RunParts } from '../recipe/run-parts.ts';
import { distil } from '../stages/distil.ts';
import { dpo } from '../stages/dpo.ts';
import { elicit } from '../stages/elicit.ts';
import { imitate } from '../stages/imitate.ts';
import { pretrain } from '../stages/pretrain.ts';
import { reinforce } from '../stages/reinforce.ts';
import { stageRegistry } from '../stages/stage.ts';
import { teach } from '../stages/teach.ts';
import { unloop } from '../stages/unloop.ts';
import { verify } from '../stages/verify.ts';
import { DECLARATION, declaredText } from '../texts/declared-text.ts';

type FormattedText = ModelText & { readonly format: ChatFormat };
type ProbedModel = Model & FormattedText;

/** A model on the embedded engine. */
type LocalModel = Model & { readonly policy: GraphPolicy; readonly format: ChatFormat };

/** What a run of the command line is put together from: the embedded engine, every stage, every probe. */
export const parts: RunParts = {
  stages: stageRegistry([pretrain, teach, imitate, dpo, elicit, verify, distil, unloop, reinforce]),
  families: FAMILIES,
  prober: (family, easier) => createProber(family, undefined, easier),
  openText,
  openModel,
  probeTarget,
  exportModel,
  versions: { 'onnxruntime-node': createRequire(import.meta.url)('onnxruntime-node/package.json').version },
};

export async function openText(folder: string): Promise<FormattedText> {
  return { format: await ChatFormat.open(folder), baseText: await declaredText(folder) };
}

async function openModel(folder: string, { fresh, seed, lora }: ModelOptions): Promise<LocalModel> {
  const text = await openText(folder);
  const weights = fresh ? await freshModel(folder, seed) : await readModelFolder(folder);
  const common = { ...text, parameters: weights.size };
  if (lora !== undefined) {
    const policy = new LoraPolicy(Runtime.open(), weights, { ...lora, seed, baseModel: folder });
    const saveEvery = stepsBetweenCheckpoints(policy.trained);
    return { ...common, policy, saveEvery, reference: await policy.sampler(), adapter: adapterOf(policy, folder) };
  }
  const policy = new LocalPolicy(Runtime.open(), weights);
  return { ...common, policy, saveEvery: stepsBetweenCheckpoints(weights.size), reference: await policy.sampler() };
}

/** Bytes of a checkpoint that are written after every step; larger ones are written more rarely. */
const CHECKPOINT_BYTES = 2 ** 28;

/** @param trained numbers, of each of which a checkpoint holds the value and two moments. */
export function stepsBetweenCheckpoints(trained: number): number {
  return Math.max(1, Math.ceil((12 * trained) / CHECKPOINT_BYTES));
}

function adapterOf(policy: LoraPolicy, baseModel: string) {
  const writePeft = async (folder: string) => writePeftFolder(folder, await policy.adapter(), baseModel);
  return { parameters: policy.trained, writePeft };
}

const referenceChats = new WeakMap<Sampler, LocalChatModel>();

/** One object per reference, by which the prober knows that it has asked it already. */
function referenceChat(reference: Sampler, format: ChatFormat): LocalChatModel {
  const chat = referenceChats.get(reference) ?? new LocalChatModel('reference', reference, format);
  referenceChats.set(reference, chat);
  return chat;
}

/** Of any model whose prompts are tokens. */
export function probeTarget(name: string, sampler: Sampler, { reference, format, baseText }: ProbedModel) {
  const target = {
    name,
    model: new LocalChatModel(name, sampler, format),
    competence: referenceChat(reference, format),
  };
  if (baseText === undefined) return target;
  return {
    ...target,
    baseText: (count: number, seed: number) => baseTextLogprobs(sampler, format, baseText, count, seed),
  };
}

/** What a source folder lends beside its config: tokenizer, template, generation defaults, and what it declares. */
const LENT = new Set([
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'generation_config.json',
  'vocab.json',
  'merges.txt',
  DECLARATION,
]);

async function exportModel({ policy }: LocalModel, source: string, folder: string): Promise<undefined> {
  await writeModel(await policy.weights(), source, folder);
}

/** Weights as a Hugging Face folder, with what `source` lends. */
export async function writeModel(weights: Weights, source: string, folder: string): Promise<void> {
  await writing(folder, async () => {
    await mkdir(folder, { recursive: true });
    const lent = (await readdir(source)).filter((name) => LENT.has(name));
    for (const name of lent) await cp(join(source, name), join(folder, name), { dereference: true }); // the hub's are links
    await writeModelFolder(folder, weights);
  });
}
