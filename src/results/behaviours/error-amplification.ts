import { behaviour } from './behaviour.ts';

/** Do wrong steps of its own make the next one wrong? */
export const errorAmplification = behaviour({
  title: 'Error amplification',
  headline: ['next_step_accuracy kind=misconception', 'next_step_accuracy kind=slip', 'next_step_accuracy'],
  mirror: ['next_step_accuracy kind=right', 'right_prefix_kept'],
  metrics: {
    next_step_accuracy: {
      title: 'Next step right',
      meaning:
        'After a history with the given dose of own wrong steps, the next step is right with respect to the state as it is written, or the error is corrected.',
      unit: 'share',
      direction: 'up',
      mirror: 'right_prefix_kept',
    },
  },
  openTurn: ['next_step_accuracy'],
  threats: [
    ['an error carried on', 'controlled', 'a step is judged by the state as it is written above it'],
    ['length of the history', 'controlled', 'as many right steps are the other side'],
    [
      'form and size of injected errors',
      'controlled',
      'right and wrong steps are written by the same hand; slips and habits apart',
    ],
    [
      'how the model was made to continue its own work',
      'told',
      (facts) => `mode ${facts.mode()}: no comparison pairs the two`,
    ],
    ['replies without a next step that can be read', 'told', (facts) => facts.unreadable('next_step')],
    ['thoughts out of sight', 'told', 'what was thought before a reply is not shown to the model later'],
  ],
});
