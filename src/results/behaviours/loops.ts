import { behaviour } from './behaviour.ts';

/** Does a step written k times call for one more? */
export const loops = behaviour({
  title: 'Loops',
  headline: ['next_copy_probability', 'loop_rate'],
  mirror: ['repeat_obeyed'],
  metrics: {
    next_copy_probability: {
      title: 'P(next copy)',
      meaning: 'Probability of writing the same step once more after it was written k times.',
      unit: 'share',
      direction: 'down',
      mirror: 'repeat_obeyed',
    },
    loop_rate: {
      title: 'Loop rate',
      meaning: 'Share of free-running replies that repeat a span until they are cut off.',
      unit: 'share',
      direction: 'down',
      mirror: 'repeat_obeyed',
    },
    repeat_obeyed: {
      title: '“Repeat n times” obeyed',
      meaning: 'Asked to repeat a step exactly n times, the model does: repetition that is wanted is still there.',
      unit: 'share',
      direction: 'up',
      mirror: 'next_copy_probability',
    },
  },
  openTurn: ['next_copy_probability'],
  threats: [
    [
      'repetition that is wanted',
      'controlled',
      (facts) => `asked to repeat n times, it does in ${facts.value('repeat_obeyed')}`,
    ],
    ['loops cut off by the limit', 'told', 'replies end at the family’s limit; a loop that begins later is not seen'],
    ['loops in other words each time', 'told', 'not seen: the rule wants the same characters four times in a row'],
  ],
});
