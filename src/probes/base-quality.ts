import { asked } from '../wrong-turns/turns.ts';
import { answeredRight, answerless, type Probe, ratioRow, readGreedily, replyOnce, row, transcripts, unreadable } from './bench.ts'; // biome-ignore format: one line

/** What must not get worse: solving plain problems, few words, and the likelihood of held-out base text. */
export const baseQuality: Probe = {
  behaviour: 'base-quality',
  unsolved: (bench) => baseQuality.measure(bench),
  tokensPerProblem: 2 * 40,
  async measure(bench) {
    const { family, problems, target } = bench;
    const prompts = problems.map((problem) => [asked(family.prompt(problem))]);
    const greedy = await readGreedily(bench, prompts);
    const sampled = await replyOnce(target.model, prompts, family.replyTokens, 1, bench.seed);
    const hot = sampled.map(({ text, stopReason }, index) => {
      return { reading: family.read(problems[index]!, text, stopReason) };
    });
    const texts = await target.baseText?.(problems.length, bench.seed);
    const likelihood = texts?.map((logprobs) => ({
      numerator: -logprobs.reduce((sum, logprob) => sum + logprob, 0),
      denominator: logprobs.length,
    }));
    return {
      rows: [
        ...(likelihood === undefined ? [] : [ratioRow(bench, 'nats_per_token', undefined, likelihood)]),
        row(bench, 'clean_accuracy', undefined, greedy.map(answeredRight)),
        row(
          bench,
          'clean_accuracy_t1',
          undefined,
          hot.map(({ reading }) => reading.answerRight),
        ),
        row(
          bench,
          'tokens_per_answer',
          undefined,
          greedy.map(({ reply }) => reply.tokenCount),
        ),
        ...unreadable(bench, 'clean', [greedy, hot].map(answerless)),
      ],
      transcripts: transcripts(bench, 'base-quality', undefined, greedy, answeredRight),
    };
  },
};
