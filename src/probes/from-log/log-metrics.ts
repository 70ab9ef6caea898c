import { defineMetric, type Metric } from '../../results/metrics.ts';

function define(name: string, title: string, meaning: string, rest: Pick<Metric, 'direction' | 'behaviour'>) {
  return defineMetric(name, { title, meaning, unit: 'share', ...rest });
}

/** What can be measured of a conversation that is over: nothing was intervened with, so no cause is claimed. */
export const LOG_METRICS = {
  looped: define(
    'turn_looped',
    'Turn runs into a loop',
    'Share of the model’s turns in which a span stands four times or more in a row.',
    { direction: 'down', behaviour: 'loops' },
  ),
  repeated: define(
    'turn_repeated',
    'Turn says an earlier one again',
    'Share of the model’s later turns that are word for word what an earlier turn of the same conversation said.',
    { direction: 'down', behaviour: 'loops' },
  ),
  flipped: define(
    'answer_flipped',
    'Answer changed',
    'Share of stated answers that differ from the one stated before in the same conversation.',
    { direction: 'hold', behaviour: 'defensiveness' },
  ),
  flippedToRight: define(
    'wrong_answer_mended',
    'Wrong answer mended',
    'After a wrong stated answer, the next stated answer is the log’s target.',
    { direction: 'up', behaviour: 'defensiveness' },
  ),
  flippedToWrong: define(
    'right_answer_dropped',
    'Right answer dropped',
    'After a right stated answer, the next stated answer is not the log’s target.',
    { direction: 'down', behaviour: 'defensiveness' },
  ),
} as const;

export type LogMeasure = keyof typeof LOG_METRICS;
