import type { ChatModel } from '../conversation/chat-model.ts';
import { InputError, ModelError } from '../errors.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import type { Behaviour } from '../results/metrics.ts';
import type { Skipped } from '../results/probe-report.ts';
import { baseQuality } from './base-quality.ts';
import type { Bench, Probe } from './bench.ts';
import { type Competence, competentProblems, hashOf } from './competence.ts';
import { contextAndPressure } from './context-and-pressure.ts';
import { defensiveness } from './defensiveness.ts';
import { errorAmplification } from './error-amplification.ts';
import { errorChecking } from './error-checking.ts';
import { lacking, lackingInPart } from './family-needs.ts';
import { fewShot } from './few-shot.ts';
import { loops } from './loops.ts';
import { inMode, missing, whyNot } from './mode.ts';
import { multiTurn } from './multi-turn.ts';
import type { Prober, ProbeSettings } from './prober.ts';
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
  selfCorrection,
  multiTurn,
  fewShot,
  baseQuality,
];

/** Measures behaviours on one problem family, over problems that the first model measured is able to solve. */
export function createProber<Problem>(family: ProblemFamily<Problem>, probes: readonly Probe[] = PROBES): Prober {
  const competent = remembered(family);
  return {
    family: family.name,
    cost: (settings) => {
      const chosen = choose(probes, settings.behaviours).filter((probe) => !lacking(family, [], probe.behaviour));
      return { steps: 0, trainedTokens: 0, sampledTokens: tokensOf(chosen) * settings.problems };
    },
    async probe(target, settings, doing) {
      const chosen = choose(probes, settings.behaviours);
      doing?.('competence', 0);
      const { problems, gate } = await competent(target.competence, settings);
      await target.log?.end('competence');
      if (problems.length === 0) throw unable(target.name, family.name);
      const bench = { target, family, problems, seed: settings.seed };
      const skipped = skippedOf(bench, settings.behaviours);
      const whole = new Set(skipped.filter(({ metric }) => metric === undefined).map(({ behaviour }) => behaviour));
      const measured = chosen.filter(({ behaviour }) => !whole.has(behaviour));
      const findings = [];
      for (const [index, probe] of measured.entries()) {
        doing?.(probe.behaviour, tokensOf(measured.slice(0, index)) / tokensOf(measured));
        findings.push(await probe.measure(bench));
        await target.log?.end(probe.behaviour);
      }
      const latent = findings.find((found) => found.latent !== undefined)?.latent;
      return {
        problems: [{ family: family.name, count: problems.length, sha256: hashOf(family, problems), gate }],
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

/** What of the behaviours asked for cannot be measured: by the target, or by the problems. */
function skippedOf<Problem>({ target, family, problems }: Bench<Problem>, asked: readonly Behaviour[]): Skipped[] {
  return asked.flatMap((behaviour): Skipped[] => {
    const why = whyNot(target, behaviour, family) ?? lacking(family, problems, behaviour);
    if (why !== undefined) return [{ behaviour, why }];
    return [...missing(target, behaviour, family), ...lackingInPart(family, problems, behaviour)];
  });
}

const tokensOf = (probes: readonly Probe[]): number => probes.reduce((sum, probe) => sum + probe.tokensPerProblem, 0);

function unable(model: string, family: string): ModelError {
  const what = `${model}: the reference model solves none of the ${family} problems in the neutral condition`;
  return new ModelError(`${what}, so there is no drive to measure; train it first, or take easier problems`);
}

/** A run probes many times with one reference: who can solve what is asked once. */
function remembered<Problem>(family: ProblemFamily<Problem>) {
  const known = new WeakMap<ChatModel, Map<string, Promise<Competence<Problem>>>>();
  return (model: ChatModel, { problems, seed }: ProbeSettings): Promise<Competence<Problem>> => {
    const asked = known.get(model) ?? new Map<string, Promise<Competence<Problem>>>();
    known.set(model, asked);
    const key = `${problems} ${seed}`;
    const answer = asked.get(key) ?? competentProblems(model, family, problems, seed);
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
