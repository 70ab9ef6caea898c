import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWholeFolder } from '../../disk/whole-folder.ts';
import { checkData, type DataLimits } from '../../engine/check-data.ts';
import type { AdamParams, Datum, Loss, LossOutput, Policy, Sampler, StepMetrics } from '../../engine/engine.ts';
import type { Heard } from '../../engine/http/transport.ts';
import { EngineError, RunError } from '../../errors.ts';
import { saveWeightsResult } from '../wire/answers.ts';
import { tryToDelete } from './checkpoints.ts';
import { closeService, type TinkerConnection } from './connection.ts';
import { downloadAdapter } from './download-adapter.ts';
import { lossValue } from './loss-value.ts';
import { asGlance, asMeans } from './mean-losses.ts';
import { type Adapter, createFromState, createModel, unloadModel } from './models.ts';
import { snapshot } from './open-sampler.ts';
import { joinOutputs, passOutput } from './pass-output.ts';
import type { RequestSequence, Verb } from './request-sequence.ts';
import type { Rules } from './rules.ts';
import type { SampleGate } from './sample-gate.ts';
import { gradientNormOf } from './step-metrics.ts';
import { cutIntoChunks } from './training-data.ts';
import * as verbs from './verbs.ts';

export type TinkerModel = {
  readonly adapter: Adapter;
  readonly rules: Rules;
  /** Of the base model: what is beyond them is refused here, for not every server looks. */
  readonly limits: DataLimits;
};

/** A checkpoint as it lies in a folder on this side: where the service has it. */
const pointerSchema = z.strictObject({
  format: z.literal(1),
  path: z.string(),
  base_model: z.string(),
  step: z.int().nonnegative(),
});

const POINTER = 'tinker.json';

/** Checkpoints that stay on the service: a run goes on from the last one, or else from the one before it. */
const KEPT = 3;

/**
 * An adapter on a service. Requests go out as calls come and are answered beside each other. A gradient that is not whole
 * is never applied: no server can drop it, so the policy then has to be loaded anew.
 */
export class TinkerPolicy implements Policy {
  readonly #service: TinkerConnection;
  readonly #gate: SampleGate;
  readonly #model: TinkerModel;
  /** Created by the first request, so that a run that goes on from a checkpoint creates none in vain. */
  #lane: Promise<RequestSequence> | undefined;
  #sampler: Promise<Sampler> | undefined;
  readonly #saved: string[] = [];
  #steps = 0;
  /** Backward passes since the last step. */
  #passes: Promise<unknown>[] = [];
  /** Those that a server of means gets only with the step. */
  #held: { readonly batch: readonly Datum[]; readonly loss: Loss }[] = [];
  /** Why the gradient on the service is not whole, if it is not. */
  #broken: string | undefined;

  constructor(service: TinkerConnection, gate: SampleGate, model: TinkerModel) {
    this.#service = service;
    this.#gate = gate;
    this.#model = model;
  }

  /** @throws EngineError naming datum and field of bad data; EndpointError naming the request and what was answered. */
  async forward(batch: readonly Datum[], loss: Loss): Promise<LossOutput> {
    checkData(batch, loss, this.#model.limits);
    return this.#means ? this.#glance(batch, loss) : this.#pass(batch, loss, true);
  }

  /** @throws as {@link forward}. */
  async forwardBackward(batch: readonly Datum[], loss: Loss): Promise<LossOutput> {
    checkData(batch, loss, this.#model.limits);
    if (this.#means) this.#held.push({ batch, loss });
    const pass = this.#means ? this.#glance(batch, loss) : this.#pass(batch, loss, false);
    this.#passes.push(this.#guarded(pass));
    return pass;
  }

  /** Handed in at once, behind the passes before it. @throws EngineError where one of those failed. */
  async optimStep(adam: AdamParams): Promise<StepMetrics> {
    const held = this.#held;
    const passes = [...this.#passes, ...this.#sendHeld(held)];
    this.#held = [];
    this.#passes = [];
    this.#sampler = undefined;
    const stepped = this.#run(verbs.step(adam), () => this.#refuseBroken());
    const [heard] = await Promise.all([stepped, ...passes]);
    this.#refuseBroken();
    this.#steps++;
    return { gradientNorm: gradientNormOf(this.#service.http, heard), step: this.#steps };
  }

  /** The same one until the weights change. */
  sampler(): Promise<Sampler> {
    this.#sampler ??= this.#ready().then((lane) => snapshot(this.#service, this.#gate, lane, this.#model.rules));
    return this.#sampler;
  }

  /** The service keeps the weights and the optimiser's state; the folder says where. */
  async save(folder: string): Promise<void> {
    const step = this.#steps;
    const saved = this.#run(verbs.save(checkpointName()), () => this.#refuseBroken());
    const what = `save_weights of model ${(await this.#ready()).modelId}`;
    const { path } = this.#service.http.read({ what }, await saved, saveWeightsResult.parse);
    const pointer = { format: 1, path, base_model: this.#model.adapter.baseModel, step };
    await writeWholeFolder(folder, (beside) => writeFile(join(beside, POINTER), JSON.stringify(pointer)));
    this.#saved.push(path);
    if (this.#saved.length > KEPT) await tryToDelete(this.#service.http, this.#saved.shift()!); // there are more
  }

  async load(folder: string): Promise<void> {
    const before = this.#lane;
    const { path, step } = await readPointer(folder);
    const { adapter, rules } = this.#model;
    this.#lane = createFromState(this.#service, path, adapter, rules);
    this.#sampler = undefined;
    this.#held = [];
    this.#passes = [];
    this.#broken = undefined;
    this.#steps = step;
    await this.#lane;
    if (before) await unloadModel(this.#service, await before); // only now: some servers forget its checkpoints with it
  }

  /** The adapter as it is, as a PEFT folder on this side. */
  async download(folder: string): Promise<void> {
    const saved = this.#run(verbs.saveForSampler({ path: checkpointName() }), () => this.#refuseBroken());
    const what = `save_weights_for_sampler of model ${(await this.#ready()).modelId}`;
    const { path } = this.#service.http.read({ what }, await saved, saveWeightsResult.parse);
    await downloadAdapter(this.#service.http, path, folder);
  }

  /** Ends the session, and with it the model; its checkpoints stay, for a run that goes on. */
  close(): Promise<void> {
    return closeService(this.#service);
  }

  get #means(): boolean {
    return this.#model.rules.reduction === 'mean';
  }

  #ready(): Promise<RequestSequence> {
    this.#lane ??= createModel(this.#service, this.#model.adapter, this.#model.rules);
    return this.#lane;
  }

  /** In the order of the calls: everybody waits for the same promise once. */
  #run(verb: Verb, first?: () => void): Promise<Heard> {
    return this.#ready().then((lane) => lane.run(verb, first));
  }

  async #pass(batch: readonly Datum[], loss: Loss, forwardOnly: boolean): Promise<LossOutput> {
    const parts = cutIntoChunks(batch, this.#service.chunk).map(async (chunk) => {
      const { body } = await this.#run(verbs.pass(chunk, loss, forwardOnly));
      return passOutput(body, chunk, loss);
    });
    return joinOutputs(await Promise.all(parts));
  }

  /** Logprobs from the server, the loss from them. */
  async #glance(batch: readonly Datum[], loss: Loss): Promise<LossOutput> {
    const glance = asGlance(batch);
    const { logprobs } = await this.#pass(glance.batch, glance.loss, true);
    return { loss: lossValue(batch, loss, logprobs), logprobs };
  }

  #sendHeld(held: readonly { readonly batch: readonly Datum[]; readonly loss: Loss }[]): Promise<unknown>[] {
    const count = held.reduce((sum, { batch }) => sum + batch.length, 0);
    return held.map((one) => {
      const { batch, loss } = asMeans(one.batch, one.loss, count);
      return this.#guarded(this.#pass(batch, loss, false));
    });
  }

  /** A pass that fails leaves a gradient that must not be applied. */
  #guarded(pass: Promise<unknown>): Promise<unknown> {
    return pass.catch((error: Error) => {
      this.#broken ??= error.message;
    });
  }

  #refuseBroken(): void {
    if (this.#broken === undefined) return;
    throw new EngineError(`no optimiser step, because its gradient is not whole: ${this.#broken}`);
  }
}

let names = 0;

/** Servers take letters, digits, hyphens; a name is never used twice. */
function checkpointName(): string {
  return `unrut-${Date.now().toString(36)}-${process.pid}-${names++}`;
}

async function readPointer(folder: string): Promise<z.infer<typeof pointerSchema>> {
  const path = join(folder, POINTER);
  try {
    return pointerSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    throw new RunError(`${path}: missing or damaged; it says where the service keeps this checkpoint`);
  }
}
