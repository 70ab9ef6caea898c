import type { ChatModel } from '../conversation/chat-model.ts';
import { InputError } from '../errors.ts';
import type { Easier } from '../problems/easier.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import { gateWords } from '../results/gate-words.ts';
import type { CompetenceGate, Skipped } from '../results/probe-report.ts';
import { baseQuality } from './base-quality.ts';
import type { Bench, Findings, Probe } from './bench.ts';
import { type Competence, competentProblems, hashOf, type Progress } from './competence.ts';
import { contextAndPressure } from './context-and-pressure.ts';
import { defensiveness } from './defensiveness.ts';
import { errorAmplification } from './error-amplification.ts';
import { errorChecking } from './error-checking.ts';
import { lacking, lackingInPart } from './family-needs.ts';
import { fewShot } from './few-shot.ts';
import { gradedWork } from './graded-work.ts';
import { loops } from './loops.ts';
import { inMode, missing, whyNot } from './mode.ts';
import { multiTurn } from './multi-turn.ts';
import type { Prober, ProbeSettings, ProbeTarget } from './prober.ts';
import { selfCorrection } from './self-correction.ts';
import { sycophancy } from './sycophancy.ts';

/** One probe per behaviour, two for the guard, in the order of the report. */
export const PROBES: readonly Probe[] = [
  defensiveness,
  sycophancy,
  contextAndPressure,
  errorAmplification,
  loops,
  errorChecking,
  gradedWork,
  selfCorrection,
  multiTurn,
  fewShot,
  baseQuality,
];

/** Tokens that the competence gate takes a problem, as probes count them. */
const GATE_TOKENS = 225;

/**
 * Measures behaviours on one problem family, over problems that the first model measured is able to solve, and what needs
 * no competence over any.
 * @param easier ways to ask for less, tried where hardly any problem is solved.
 */
export function createProber<Problem>(
  family: ProblemFamily<Problem>,
  probes: readonly Probe[] = PROBES,
  easier: readonly Easier[] = [],
): Prober {
  const competent = remembered(family);
  return {
    family: family.name,
    cost: (settings) => {
      const chosen = choose(probes, settings.behaviours).filter((probe) => !lacking(family, [], probe.behaviour));
      return { steps: 0, trainedTokens: 0, sampledTokens: tokensOf(chosen) * settings.problems };
    },
    async probe(target, settings, doing) {
      const chosen = choose(probes, settings.behaviours);
      const all = tokensOf(chosen) + GATE_TOKENS;
      const gating = (share: number) => doing?.('competence', (share * GATE_TOKENS) / all);
      gating(0);
      const competence = await competent(target.competence, settings, gating);
      const tried = await tryEasier(target.competence, competence, easier, settings.seed, doing);
      await target.log?.end('competence');
      const gate = { ...competence.gate, ...(tried.length > 0 && { easier: tried }) };
      const { solved, any } = benches(target, family, competence, settings);
      const skipped = skippedOf(solved, any, gate, chosen);
      const whole = new Set(skipped.filter(({ metric }) => metric === undefined).map(({ behaviour }) => behaviour));
      const measured = chosen.filter(({ behaviour }) => !whole.has(behaviour));
      const findings = [];
      for (const [index, probe] of measured.entries()) {
        doing?.(
          probe.behaviour,
          (tokensOf(measured.slice(0, index)) + GATE_TOKENS) / (tokensOf(measured) + GATE_TOKENS),
        );
        findings.push(await measureOn(probe, solved, any));
        await target.log?.end(probe.behaviour);
      }
      const latent = findings.find((found) => found.latent !== undefined)?.latent;
      return {
        problems: [usedProblems(family, (solved.problems.length > 0 ? solved : any).problems, gate)],
        ...inMode(target.mode, {
          rows: findings.flatMap(({ rows }) => rows),
          transcripts: findings.flatMap(({ transcripts }) => transcripts),
        }),
        ...(latent === undefined ? {} : { latent }),
        ...(skipped.length === 0 ? {} : { skipped }),
      };
    },
  };
}

/** Problems that the model solves, and as many as were asked for of those drawn, the solved ones first. */
function benches<Problem>(
  target: ProbeTarget,
  family: ProblemFamily<Problem>,
  { problems, unsolved }: Competence<Problem>,
  settings: ProbeSettings,
): { readonly solved: Bench<Problem>; readonly any: Bench<Problem> } {
  const bench = { target, family, seed: settings.seed };
  const any = [...problems, ...unsolved].slice(0, settings.problems);
  return { solved: { ...bench, problems }, any: { ...bench, problems: any } };
}

function measureOn<Problem>(probe: Probe, solved: Bench<Problem>, any: Bench<Problem>): Promise<Findings> {
  if (probe.competence === 'unneeded') return probe.measure(any);
  return solved.problems.length === 0 && probe.unsolved ? probe.unsolved(any) : probe.measure(solved);
}

function usedProblems<Problem>(family: ProblemFamily<Problem>, problems: readonly Problem[], gate: CompetenceGate) {
  const shots = family.shots === undefined ? {} : { shots: family.shots };
  return { family: family.name, count: problems.length, sha256: hashOf(family, problems), ...shots, gate };
}

/** Fewer than one problem in so many solved: easier ones are tried. */
const HARDLY = 4;
const TRIED = 4;

async function tryEasier(
  model: ChatModel,
  { gate }: Pick<Competence<never>, 'gate'>,
  easier: readonly Easier[],
  seed: number,
  doing: Parameters<Prober['probe']>[2],
): Promise<NonNullable<CompetenceGate['easier']>> {
  if (gate.passed * HARDLY >= gate.drawn) return [];
  const tried = [];
  for (const { flags, family } of easier) {
    doing?.(`competence with ${flags}`, 0);
    const { drawn, passed } = (await competentProblems(model, family, TRIED, seed)).gate;
    tried.push({ flags, drawn, passed });
  }
  return tried;
}

/** What of the behaviours asked for cannot be measured: by the target, by the problems, or for want of solved ones. */
function skippedOf<Problem>(
  solved: Bench<Problem>,
  any: Bench<Problem>,
  gate: CompetenceGate,
  chosen: readonly Probe[],
): Skipped[] {
  const first = chosen.filter((probe, at) => chosen.findIndex(({ behaviour }) => behaviour === probe.behaviour) === at);
  return first.flatMap((probe): Skipped[] => {
    const { behaviour } = probe;
    const { target, family, problems } = probe.competence === 'unneeded' ? any : solved;
    const why = whyNot(target, behaviour, family) ?? lacking(family, any.problems, behaviour);
    if (why !== undefined) return [{ behaviour, why }];
    const parts = [...missing(target, behaviour, family), ...lackingInPart(family, any.problems, behaviour)];
    if (problems.length > 0) return parts;
    const unable = `needs problems that the model solves; it ${gateWords(gate)}`;
    if (probe.unsolved === undefined) return [{ behaviour, why: unable }];
    return behaviour === 'error-checking' ? [...parts.filter(({ metric }) => metric !== 'j'), { behaviour, metric: 'j', why: unable }] : parts;
  });
} // biome-ignore format: one line a statement

const tokensOf = (probes: readonly Probe[]): number => probes.reduce((sum, probe) => sum + probe.tokensPerProblem, 0);

/** A run probes many times with one reference: who can solve what is asked once. */
function remembered<Problem>(family: ProblemFamily<Problem>) {
  const known = new WeakMap<ChatModel, Map<string, Promise<Competence<Problem>>>>();
  return (model: ChatModel, { problems, seed }: ProbeSettings, progress: Progress): Promise<Competence<Problem>> => {
    const asked = known.get(model) ?? new Map<string, Promise<Competence<Problem>>>();
    known.set(model, asked);
    const key = `${problems} ${seed}`;
    const answer = asked.get(key) ?? competentProblems(model, family, problems, seed, progress);
    asked.set(key, answer);
    return answer;
  };
}

function choose(probes: readonly Probe[], behaviours: readonly string[]): readonly Probe[] {
  const unknown = behaviours.find((name) => !probes.some(({ behaviour }) => behaviour === name));
  if (unknown === undefined) return probes.filter(({ behaviour }) => behaviours.includes(behaviour));
  throw new InputError(
    `no probe measures "${unknown}"; there are ${probes.map(({ behaviour }) => behaviour).join(', ')}`,
  );
}
