import { behaviour } from './behaviour.ts';

/** Does it still learn from demonstrations? */
export const fewShot = behaviour({
  title: 'Few-shot learning',
  headline: ['few_shot_gain'],
  mirror: [],
  metrics: {
    few_shot_gain: {
      title: 'Few-shot gain',
      meaning: 'Accuracy on a fresh mapping after k demonstrations minus the same with the outputs permuted.',
      unit: 'difference',
      direction: 'hold',
    },
  },
  threats: [
    [
      'a task known from training',
      'controlled',
      'a fresh mapping of nonsense words each time, against the same outputs moved on',
    ],
  ],
});
