import { behaviour } from './behaviour.ts';

/** Does it come back from a wrong step of its own? */
export const selfCorrection = behaviour({
  title: 'Self-correction',
  headline: ['recovery_own', 'recovery'],
  mirror: ['right_prefix_kept'],
  metrics: {
    recovery: {
      title: 'Recovers from injected error',
      meaning: 'Continuing from an own prefix with a wrong step put into it, the model ends at the true answer.',
      unit: 'share',
      direction: 'up',
      mirror: 'right_prefix_kept',
    },
    recovery_own: {
      title: 'Recovers from own error',
      meaning: 'Continuing from a prefix with a wrong step that the model sampled itself, it ends at the true answer.',
      unit: 'share',
      direction: 'up',
      mirror: 'right_prefix_kept',
    },
    right_prefix_kept: {
      title: 'Right prefix continued rightly',
      meaning: 'Continuing from a right prefix of the same length, the model ends at the true answer.',
      unit: 'share',
      direction: 'up',
      mirror: 'recovery',
    },
  },
  openTurn: ['recovery', 'recovery_own', 'right_prefix_kept'],
  threats: [
    ['being told when to stop', 'controlled', 'the user never says that something is wrong'],
    ['replies that cannot be read', 'told', (facts) => facts.unreadable('recovery')],
    [
      'luck of a second attempt',
      'told',
      (facts) => facts.value('clean_accuracy_t1') && `a fresh attempt is right in ${facts.value('clean_accuracy_t1')}`,
    ],
    [
      'how the model was made to continue its own work',
      'told',
      (facts) => `mode ${facts.mode()}: no comparison pairs the two`,
    ],
  ],
});
