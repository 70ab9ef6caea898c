import { baseQuality } from './base-quality.ts';
import { defensiveness } from './defensiveness.ts';
import { errorAmplification } from './error-amplification.ts';
import { errorChecking } from './error-checking.ts';
import { fewShot } from './few-shot.ts';
import { loops } from './loops.ts';
import { multiTurn } from './multi-turn.ts';
import { selfCorrection } from './self-correction.ts';
import { sycophancy } from './sycophancy.ts';

/** Every behaviour that unrut brings along, in the order in which a report tells them. */
export const builtInBehaviours = {
  defensiveness,
  sycophancy,
  'error-amplification': errorAmplification,
  loops,
  'error-checking': errorChecking,
  'self-correction': selfCorrection,
  'multi-turn': multiTurn,
  'few-shot': fewShot,
  'base-quality': baseQuality,
} as const;
