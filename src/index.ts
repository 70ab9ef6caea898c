/**
 * @module unrut
 * What one builds on: families of problems, probes and stages of one's own, put beside those that come along and run by
 * the same command line. `docs/extend.md` shows each in under 40 lines.
 */

export { type Lesson, lessonData, lessonTokens, type Span, startTokens, type TaughtTurn } from './chat/lesson.ts';
export { parts } from './cli/parts.ts';
export { runCli } from './cli/program.ts';
export type { ChatModel, Reply, ReplyParams, TokenLogprob } from './conversation/chat-model.ts';
export type { Conversation, Turn } from './conversation/conversation.ts';
export { type Ability, abilities } from './engine/abilities.ts';
export type * from './engine/engine.ts';
export { type Architecture, defineArchitecture } from './engine/local/model/architecture.ts';
export { addArchitecture, architectureOf } from './engine/local/model/architectures.ts';
export {
  activationOf,
  noBias,
  slidingLayers,
  windowEverywhere,
  windowNowhere,
  windowOf,
} from './engine/local/model/config-json.ts';
export type { DecoderOps, HeadNorms, Projection } from './engine/local/model/decoder-ops.ts';
export {
  gainOf,
  gatedUnits,
  parametersOf,
  preNormLayer,
  preNormParameters,
  projectionsOf,
} from './engine/local/model/decoder-parts.ts';
export type { ModelConfig, ParameterShape } from './engine/local/model/model-config.ts';
export { readRope, readRopes, ropesByLayer } from './engine/local/model/rope-parameters.ts';
export { EngineError, InputError, ModelError, RunError, UnrutError } from './errors.ts';
export { createProber, PROBES } from './probes/all-probes.ts';
export * from './probes/bench.ts';
export type { Prober, ProbeSettings, ProbeTarget } from './probes/prober.ts';
export { CHALLENGES, type Challenge, type ChallengeKind, challengeText } from './problems/challenges.ts';
export { FAMILIES, type FamilyEntry, familyEntry, openFamily } from './problems/families.ts';
export { type GivenReplies, type OwnProblem, ownProblems, readOwnProblems } from './problems/own-problems.ts';
export * from './problems/problem-family.ts';
export { runningSumFamily } from './problems/running-sum-family.ts';
export { type Check, type Validation, validate } from './problems/validate.ts';
export { chatFamily, type WorkedTask } from './problems/worked-task.ts';
export { type Stream, stream } from './random.ts';
export { loadRecipe, parseRecipe, type Recipe } from './recipe/load-recipe.ts';
export type { Observer } from './recipe/observer.ts';
export type { Model, ModelOptions, RunParts } from './recipe/run-parts.ts';
export { type RunSetting, runRecipe } from './recipe/run-recipe.ts';
export type { RunCard } from './record/run-card.ts';
export { RunFolder } from './record/run-folder.ts';
export { renderHtml } from './report/html.ts';
export { renderModelCard } from './report/model-card.ts';
export { renderTerminal } from './report/terminal.ts';
export type { BehaviourEntry } from './results/behaviours/behaviour.ts';
export {
  type Behaviour,
  behaviours,
  defineBehaviour,
  defineMetric,
  type Metric,
  type MetricName,
  metricOf,
} from './results/metrics.ts';
export type { Outcome, ProbeReport, ProbeRow } from './results/probe-report.ts';
export { parseResults, type Results, readResults, resultsSchema, writeResults } from './results/results.ts';
export { drawLesson, lessonBehind, lessonOptions } from './stages/lessons.ts';
export { type OptimiserOptions, optimiserOptions } from './stages/optimiser.ts';
export * from './stages/stage.ts';
export { type Batch, type Portion, trainLoop } from './stages/train-loop.ts';
export { type Change, change } from './stats/change.ts';
export { type Estimate, type EstimateOptions, estimate } from './stats/estimate.ts';
export { holm } from './stats/holm.ts';
export { mcnemar } from './stats/mcnemar.ts';
export { minimumDetectableEffect, type PairedDesign, sampleSize } from './stats/power.ts';
export { wilsonInterval } from './stats/wilson.ts';
export * from './wrong-turns/draw-start.ts';
export * from './wrong-turns/grade.ts';
export * from './wrong-turns/own-prefix.ts';
export * from './wrong-turns/pair.ts';
export * from './wrong-turns/repeated-step.ts';
export * from './wrong-turns/role-swap.ts';
export * from './wrong-turns/start.ts';
export * from './wrong-turns/told-in-pieces.ts';
export * from './wrong-turns/turns.ts';
export * from './wrong-turns/wanted.ts';
export * from './wrong-turns/wrong-work.ts';
