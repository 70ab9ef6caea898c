import { z } from 'zod';
import { type Lesson, lessonData, lessonTokens } from '../chat/lesson.ts';
import { readChats } from '../conversation/chat-file.ts';
import { stream } from '../random.ts';
import { optimiserOptions } from './optimiser.ts';
import { openReplay, replayCost, replayNeeds, replayOptions } from './replay.ts';
import { defineStage, type Preview } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Imitate: supervised fine-tuning on chats of one's own, in the JSONL form of the field (`messages`). The loss is on the
 * assistant's turns alone, token for token; what the users say and what the template writes has no weight.
 */
export const imitate = defineStage({
  name: 'imitate',
  summary: 'learns the assistant turns of chats of your own (JSONL with messages)',
  options: z.strictObject({
    ...optimiserOptions,
    /** A JSONL file; a relative path starts at the recipe's folder. */
    file: z.string().min(1),
    /** Chats per step. */
    chats: z.int().positive().default(16),
    /** Which of the assistant's turns are learnt. */
    turns: z.enum(['all', 'last']).default('all'),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, chats, replay }, sizes) => ({
    steps,
    trainedTokens: steps * (chats * CHAT_TOKENS + replayCost(replay, sizes)),
    sampledTokens: 0,
  }),
  needs: ({ replay }) => replayNeeds(replay),
  async preview({ format, file }, options) {
    const lessons = await readLessons(file(options.file), options.turns);
    return shown(lessons[0]!, format); // a file without chats is refused
  },
  async run(context, options) {
    const lessons = await readLessons(context.file(options.file), options.turns);
    const replay = await openReplay(context, options.replay);
    await trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'chats', step);
      const drawn = Array.from({ length: options.chats }, () => draws.pick(lessons));
      return {
        portions: [
          { name: 'loss', data: lessonData(drawn, context.format), loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: await replay(draws, step), loss: { kind: 'cross_entropy' } },
        ],
      };
    });
  },
});

/** A chat of a few turns; the file is not read for the bill. */
const CHAT_TOKENS = 256;

async function readLessons(path: string, turns: 'all' | 'last'): Promise<Lesson[]> {
  const chats = await readChats(path);
  return chats.map((chat) => {
    return chat.map(({ turn, weight }, at) => {
      const learnt = turn.role === 'assistant' && weight > 0 && (turns === 'all' || at === chat.length - 1);
      return learnt ? { spans: [{ text: turn.text, weight }], end: weight } : turn;
    });
  });
}

/** A lesson with what is learnt of it in marks: ⟦so⟧. */
function shown(lesson: Lesson, format: Preview['format']): string {
  const { tokens, weights } = lessonTokens(lesson, format);
  let learning = false;
  const text = format.pieces(tokens).map((piece, at) => {
    const learns = weights[at]! > 0; // one a token
    const mark = learns === learning ? '' : learns ? '⟦' : '⟧';
    learning = learns;
    return mark + piece;
  });
  return text.join('') + (learning ? '⟧' : '');
}
