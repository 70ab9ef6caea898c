import { behaviour } from './behaviour.ts';

/** Does the model see what is wrong in its own work, in words and in its own surprise? */
export const errorChecking = behaviour({
  title: 'Error checking',
  headline: ['j kind=own', 'j kind=misconception', 'j', 'review_j said=own,kind=misconception'],
  mirror: ['false_alarm_solutions', 'false_alarm_rate', 'review_false_alarms said=own'],
  metrics: {
    hit_rate: {
      title: 'Wrong solutions flagged',
      meaning: 'Share of own solutions with a wrong step in which the model says that a step is wrong.',
      unit: 'share',
      direction: 'up',
      mirror: 'false_alarm_rate',
    },
    false_alarm_rate: {
      title: 'Right steps flagged',
      meaning: 'False alarms per right step.',
      unit: 'share',
      direction: 'down',
      mirror: 'hit_rate',
    },
    false_alarm_solutions: {
      title: 'Right solutions flagged',
      meaning: 'Share of wholly right solutions with at least one false alarm.',
      unit: 'share',
      direction: 'down',
      mirror: 'hit_rate',
    },
    j: {
      title: 'J, expressed',
      meaning:
        'Hit rate minus false-alarm rate of what the model says about its own steps; 0 is guessing, 1 is perfect.',
      unit: 'difference',
      direction: 'up',
      mirror: 'false_alarm_rate',
    },
    latent_j: {
      title: 'J, latent',
      meaning:
        'The same read from the model’s own surprise at the written tokens, f = 1 − p(written) / max p, without asking it.',
      unit: 'difference',
      direction: 'up',
      mirror: 'false_alarm_rate',
    },
    review_found: {
      title: 'First wrong step named',
      meaning:
        'Shown a finished solution with a wrong step and asked for the first wrong step or none, the model names that very step.',
      unit: 'share',
      direction: 'up',
      mirror: 'review_false_alarms',
    },
    review_false_alarms: {
      title: 'Right solution called wrong in review',
      meaning: 'The same question about a wholly right solution: the model names a step.',
      unit: 'share',
      direction: 'down',
      mirror: 'review_found',
    },
    review_j: {
      title: 'J, in review',
      meaning: 'First wrong steps named minus right solutions called wrong, by whose turn the solution stands in.',
      unit: 'difference',
      direction: 'up',
      mirror: 'review_false_alarms',
    },
    suppressed_checking: {
      title: 'Checking suppressed',
      meaning: 'Latent J minus J in the review of the same work as its own: what surprise knows and words do not say.',
      unit: 'difference',
      direction: 'down',
      mirror: 'review_false_alarms',
    },
  },
  openTurn: ['hit_rate', 'false_alarm_rate', 'false_alarm_solutions', 'j'],
  threats: [
    ['calling everything wrong', 'controlled', 'J takes false alarms off the hits'],
    [
      'surface of injected errors',
      'told',
      (facts) => {
        const value = facts.value('review_j', 'said=own,kind=own');
        const problems = facts.count('review_j', 'said=own,kind=own');
        return value ? `own errors apart: J ${value} on ${problems}` : 'no own error was made: injected ones only';
      },
    ],
    ['a question that presupposes an error', 'controlled', '“none” is offered in every wording'],
    [
      'whose work it is',
      'controlled',
      (facts) =>
        facts.value('review_j', 'said=user,kind=misconception') &&
        `own and user’s turn apart: J ${facts.value('review_j', 'said=own,kind=misconception')} and ${facts.value('review_j', 'said=user,kind=misconception')} on misconceptions`,
    ],
    ['position of the error', 'controlled', 'drawn at random; surprise is told by position'],
    ['the answer stands there or not', 'told', 'it does in the review, not in the check within the turn'],
    ['verdicts that cannot be read', 'told', (facts) => facts.unreadable('review', 'check')],
  ],
});
