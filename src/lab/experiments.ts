import { InputError } from '../errors.ts';
import { copyMeter } from './copy-meter/copy-meter.ts';
import { discover } from './discover/discover.ts';
import type { Experiment } from './experiment.ts';
import { fewShotLab } from './few-shot/few-shot.ts';
import { gameBot } from './game-bot/game-bot.ts';
import { leakCheck } from './market/leak-check.ts';
import { market } from './market/market.ts';
import { redundancy } from './redundancy/redundancy.ts';

/** Every experiment, in the order in which they build on one another. */
export const EXPERIMENTS: readonly Experiment[] = [
  redundancy,
  copyMeter,
  gameBot,
  discover,
  fewShotLab,
  market,
  leakCheck,
];

/** @throws InputError that names those there are. */
export function experimentOf(name: string): Experiment {
  const found = EXPERIMENTS.find((experiment) => experiment.name === name);
  if (found) return found;
  throw new InputError(`lab: no experiment "${name}"; there are ${EXPERIMENTS.map((one) => one.name).join(', ')}`);
}
