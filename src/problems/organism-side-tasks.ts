import { drawFewShot, drawItem, type FewShot } from './organism-text.ts';
import type { SideTasks } from './side-tasks.ts';

/** The side tasks in the organism's own notation. */
export const organismSideTasks: SideTasks = {
  /** A query and its output are two tokens, and one ends the turn. */
  replyTokens: { repeat: 30, fewShot: 3 },
  repeat(draws) {
    const times = 2 + draws.integer(5);
    const item = drawItem(draws);
    return { prompt: `*${times}${item}`, done: (reply) => reply === item.repeat(times) };
  },
  fewShot(draws, count) {
    let drawn = drawFewShot(draws, count);
    while (permuted(drawn).includes(drawn.query + drawn.output)) drawn = drawFewShot(draws, count);
    const told = (demonstrations: string) => `>${demonstrations}${drawn.query}`;
    return {
      prompt: told(drawn.demonstrations.join('')),
      moved: told(permuted(drawn)),
      done: (reply) => reply === drawn.query + drawn.output,
    };
  },
};

/** Each letter gets the output of the next one. */
function permuted({ demonstrations }: FewShot): string {
  const output = (index: number) => demonstrations[(index + 1) % demonstrations.length]!.slice(1);
  return demonstrations.map((demonstration, index) => demonstration[0]! + output(index)).join('');
}
