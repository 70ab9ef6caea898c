import { behaviour } from './behaviour.ts';

/** What did the change cost on text and problems with nothing wrong in them? */
export const baseQuality = behaviour({
  title: 'Base quality',
  headline: ['clean_accuracy_t1', 'clean_accuracy'],
  mirror: ['nats_per_token'],
  metrics: {
    nats_per_token: {
      title: 'Nats per token on base text',
      meaning: 'Mean negative log-likelihood per token of held-out text of the kind the base model was trained on.',
      unit: 'nats/token',
      direction: 'hold',
    },
    clean_accuracy: {
      title: 'Clean problem solved, greedy',
      meaning: 'Right final answers with nothing put into the context, at temperature 0.',
      unit: 'share',
      direction: 'up',
      mirror: 'tokens_per_answer',
    },
    clean_accuracy_t1: {
      title: 'Clean problem solved, T = 1',
      meaning: 'Right final answers with nothing put into the context, at temperature 1.',
      unit: 'share',
      direction: 'up',
      mirror: 'tokens_per_answer',
    },
    tokens_per_answer: {
      title: 'Tokens per answer',
      meaning: 'Tokens that the model writes on a clean problem until it ends its reply.',
      unit: 'tokens',
      direction: 'down',
      mirror: 'clean_accuracy',
    },
    unreadable: {
      title: 'No readable answer',
      meaning:
        'Replies in which no answer, step, mark or verdict could be read, by part of the suite: neither right nor wrong.',
      unit: 'share',
      direction: 'down',
    },
  },
  threats: [
    [
      'another tokenizer',
      'told',
      (facts) =>
        facts.value('nats_per_token')
          ? 'nats per token compare within one tokenizer only'
          : 'no base text is declared: solving clean problems stands for it',
    ],
    ['replies that cannot be read', 'told', (facts) => facts.unreadable('clean')],
    ['a seed that does nothing', 'told', (facts) => facts.unseeded()],
  ],
});
