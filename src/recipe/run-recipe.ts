import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writing } from '../disk/write.ts';
import type { Sampler } from '../engine/engine.ts';
import { ModelError } from '../errors.ts';
import type { Prober } from '../probes/prober.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import type { Position } from '../record/checkpoints.ts';
import type { GateVerdict, NewEvent } from '../record/event.ts';
import type { RunFolder } from '../record/run-folder.ts';
import { rowKey } from '../results/condition.ts';
import { gateWords } from '../results/gate-words.ts';
import type { Behaviour } from '../results/metrics.ts';
import type { ProbeReport } from '../results/probe-report.ts';
import { type Results, writeResults } from '../results/results.ts';
import { checkNeeds } from './check-needs.ts';
import { gateBehaviours } from './cost.ts';
import { findRow, judge } from './gate.ts';
import type { Recipe, RecipeStage } from './load-recipe.ts';
import { type Measured, makeResults } from './make-results.ts';
import { type Observer, throwIfInterrupted } from './observer.ts';
import { openRecipeFamily, runSizes } from './open-family.ts';
import { END, type Gate } from './recipe.ts';
import type { Model, RunParts } from './run-parts.ts';
import { runStage } from './stage-run.ts';

/** What a run needs beside the recipe. */
export type RunSetting = {
  readonly folder: RunFolder;
  readonly parts: RunParts;
  readonly watch: Observer;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
};

/**
 * Carries a recipe out: probe, stages with their gates, probe; from wherever the folder's last checkpoint stands. What
 * was measured is not measured again. A missed gate that says `stop` leaves out the stages that follow.
 * @throws Interrupted on Ctrl-C, with everything saved.
 * @throws RunError where the folder cannot be written or is damaged.
 */
export async function runRecipe(recipe: Recipe, setting: RunSetting): Promise<Results> {
  setting.watch.doing(`opens ${recipe.model}`);
  const model = await setting.parts.openModel(recipe.model, recipe);
  try {
    const otherwise = checkNeeds(recipe, model.can);
    const family = await openRecipeFamily(recipe.family, model, {
      families: setting.parts.families,
      folder: recipe.folder,
    });
    return await new RecipeRun(recipe, setting, model, family).run([...(model.findings ?? []), ...otherwise]);
  } finally {
    await model.policy.close();
  }
}

class RecipeRun {
  readonly #recipe: Recipe;
  readonly #setting: RunSetting;
  #model: Model;
  readonly #family: ProblemFamily<unknown>;
  readonly #prober: Prober;

  constructor(recipe: Recipe, setting: RunSetting, model: Model, family: ProblemFamily<unknown>) {
    this.#family = family;
    this.#prober = setting.parts.prober(family);
    this.#recipe = recipe;
    this.#setting = setting;
    this.#model = model;
  }

  /** @param notes what a reader of the record has to know of the engine. */
  async run(notes: readonly string[]): Promise<Results> {
    const start = await this.#prepare(await this.#restore());
    for (const text of notes) await this.#noteOnce(text);
    const before = await this.#before();
    const { reports, verdicts } = await this.#runStages(start, before);
    const after = await this.#probe('after', await this.#model.policy.sampler(), this.#recipe.probes.behaviours);
    verdicts.push(...(await this.#judge(END, after, before)));
    return this.#finish({ before, reports, after, verdicts });
  }

  async #restore(): Promise<Position> {
    const { folder } = this.#setting;
    const checkpoint = await folder.checkpoints.latest();
    if (checkpoint) await this.#model.policy.load(checkpoint.policyFolder);
    const position = checkpoint ?? { stagesDone: 0, stepsDone: 0, memory: {} };
    if (folder.journal.events.length === 0) {
      await this.#note({ kind: 'run-started', name: this.#recipe.name, seed: this.#recipe.seed });
    } else {
      const stage = this.#recipe.stages[position.stagesDone]?.name;
      await this.#note({ kind: 'run-resumed', stage, step: position.stepsDone });
    }
    return position;
  }

  /**
   * Runs the stages at the beginning that make the model able. What comes out of them is what "before" is measured on,
   * and the reference of all that follows.
   */
  async #prepare(start: Position): Promise<Position> {
    const { stages, fresh } = this.#recipe;
    const others = stages.findIndex(({ off, stage }) => !off && !stage.prepares);
    const lead = others < 0 ? stages.length : others;
    const last = stages.slice(0, lead).findLast(({ off }) => !off);
    if (last === undefined || fresh) return start;
    await this.#noteOnce(`"before" is measured behind ${last.name}: what the model came as could not be asked`);
    for (let index = start.stagesDone; index < lead; index++) {
      const stage = stages[index];
      if (stage && !stage.off) await this.#runStage(stage, index, start);
    }
    this.#model = { ...this.#model, reference: await this.#prepared(last.name, start, lead) };
    return start.stagesDone < lead ? { stagesDone: lead, stepsDone: 0, memory: {} } : start;
  }

  /** The model behind the stage that prepares; a run that has gone on from there looks back for it. */
  async #prepared(stage: string, start: Position, lead: number): Promise<Sampler> {
    const { policy } = this.#model;
    if (start.stagesDone < lead) return policy.sampler();
    const { checkpoints } = this.#setting.folder;
    const latest = await checkpoints.latest();
    await policy.load(checkpoints.policyAfter(stage));
    const sampler = await policy.sampler();
    if (latest) await policy.load(latest.policyFolder);
    return sampler;
  }

  /**
   * Random weights solve no problem, so a model from scratch has no before. A gate on a row that no probe yields is found
   * out here, before the first step is trained.
   */
  async #before(): Promise<ProbeReport | undefined> {
    if (this.#recipe.fresh) return undefined;
    const before = await this.#probe('before', this.#model.reference, this.#recipe.probes.behaviours);
    refuseUnable(this.#recipe.model, before);
    for (const gate of this.#recipe.gates) findRow(before, gate.metric, gate.condition);
    return before;
  }

  async #runStages(start: Position, before: ProbeReport | undefined) {
    const reports = new Map<string, ProbeReport>();
    const verdicts: GateVerdict[] = [];
    for (const [index, stage] of this.#recipe.stages.entries()) {
      if (stage.off) continue;
      if (verdicts.some(stops))
        await this.#note({ kind: 'stage-skipped', stage: stage.name, why: 'a gate was missed' });
      else {
        if (index >= start.stagesDone) await this.#runStage(stage, index, start);
        const report = await this.#probeGates(stage.name);
        if (!report) continue;
        reports.set(stage.name, report);
        verdicts.push(...(await this.#judge(stage.name, report, before)));
      }
    }
    return { reports, verdicts };
  }

  async #runStage(stage: RecipeStage, index: number, start: Position): Promise<void> {
    const position = index === start.stagesDone ? start : { stagesDone: index, stepsDone: 0, memory: {} };
    await this.#note({ kind: 'stage-started', stage: stage.name, step: position.stepsDone });
    const { seed, lora } = this.#recipe;
    const rate = lora?.learningRateFactor ?? 1;
    await runStage(stage, position, {
      ...this.#setting,
      model: this.#model,
      family: this.#family,
      sizes: runSizes(this.#family, this.#model),
      recipeFolder: this.#recipe.folder,
      seed,
      learningRateFactor: rate,
    });
  }

  /** Measures what the gates after a stage ask for; undefined where it has none. */
  async #probeGates(stage: string): Promise<ProbeReport | undefined> {
    const behaviours = gateBehaviours(this.#recipe, stage);
    if (behaviours.length === 0) return undefined;
    return this.#probe(`after-${stage}`, await this.#model.policy.sampler(), behaviours);
  }

  async #probe(name: string, sampler: Sampler, behaviours: readonly Behaviour[]): Promise<ProbeReport> {
    const { folder, parts, watch, signal } = this.#setting;
    const known = await folder.readProbe(name);
    if (known) return known;
    await this.#note({ kind: 'probe-started', probe: name });
    const since = performance.now();
    const reference = this.#recipe.fresh ? sampler : this.#model.reference;
    const target = parts.probeTarget(name, sampler, { ...this.#model, reference });
    const report = await this.#prober.probe(target, { ...this.#recipe.probes, behaviours }, (what, share) => {
      watch.doing(what, share);
      throwIfInterrupted(signal);
    });
    await folder.writeProbe(name, report);
    const seconds = (performance.now() - since) / 1000;
    await this.#note({ kind: 'probe-finished', probe: name, seconds, rows: report.rows.length });
    return report;
  }

  async #judge(after: string, report: ProbeReport, before = report): Promise<GateVerdict[]> {
    const verdicts = this.#gatesAfter(after).map((gate) => judge(gate, report, before));
    const told = new Set(this.#setting.folder.journal.events.map(verdictKey));
    for (const verdict of verdicts) {
      const event: NewEvent = { kind: 'gate', ...verdict };
      if (!told.has(verdictKey(event))) await this.#note(event);
    }
    return verdicts;
  }

  #gatesAfter(stage: string): Gate[] {
    return this.#recipe.gates.filter((gate) => gate.after === stage);
  }

  async #finish(measured: Measured): Promise<Results> {
    const { folder } = this.#setting;
    const { adapter } = this.#model;
    await this.#export('model', (beside) => this.#setting.parts.exportModel(this.#model, this.#recipe.model, beside));
    if (adapter !== undefined)
      await this.#export('adapter', (beside) => adapter.writePeft(beside).then(() => undefined));
    const results = makeResults(this.#recipe, folder, this.#model.parameters, measured);
    await writeResults(join(folder.path, 'results.json'), results);
    const gatesMissed = measured.verdicts.filter((verdict) => !verdict.held).length;
    await this.#note({ kind: 'run-finished', seconds: results.seconds.total, gatesMissed });
    return results;
  }

  /** Written beside and renamed, like everything else in a run. */
  async #export(name: string, write: (folder: string) => Promise<string | undefined>): Promise<void> {
    const destination = join(this.#setting.folder.path, name);
    if (existsSync(destination)) return;
    const beside = `${destination}.writing`;
    await writing(destination, async () => {
      await rm(beside, { recursive: true, force: true });
      const note = await write(beside);
      if (note !== undefined) await this.#noteOnce(note);
      if (existsSync(beside)) await rename(beside, destination);
    });
  }

  /** Said again by a run that goes on only where it has changed. */
  async #noteOnce(text: string): Promise<void> {
    const told = this.#setting.folder.journal.events.some((event) => event.kind === 'note' && event.text === text);
    if (!told) await this.#note({ kind: 'note', text });
  }

  async #note(event: NewEvent): Promise<void> {
    const { folder, watch } = this.#setting;
    watch.event(await folder.journal.append(event));
    folder.journal.sync();
  }
}

function stops(verdict: GateVerdict): boolean {
  return !verdict.held && verdict.otherwise === 'stop';
}

/** Tells the gates of a run apart. */
function verdictKey(event: NewEvent): string {
  return event.kind === 'gate' ? `${event.after} ${event.sense} ${rowKey(event)}` : '';
}

/** A run has nothing to un-teach where the drive cannot be seen. */
function refuseUnable(model: string, { problems }: ProbeReport): void {
  const unable = problems.find(({ gate }) => gate?.passed === 0);
  if (unable?.gate === undefined) return;
  const way = 'train it first, or take easier problems; `unrut probe` measures what needs no competence';
  throw new ModelError(
    `${model}: on ${unable.family} it ${gateWords(unable.gate)}, so there is no drive to un-teach; ${way}`,
  );
}
