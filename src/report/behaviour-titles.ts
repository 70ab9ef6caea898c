import type { Behaviour } from '../results/metrics.ts';

/** The behaviours as headings. */
export const behaviourTitles: Readonly<Record<Behaviour, string>> = {
  defensiveness: 'Defensiveness',
  sycophancy: 'Sycophancy guard',
  'error-amplification': 'Error amplification',
  loops: 'Loops',
  'error-checking': 'Error checking',
  'self-correction': 'Self-correction',
  'multi-turn': 'Multi-turn',
  'few-shot': 'Few-shot learning',
  'base-quality': 'Base quality',
};
