import type { ProblemFamily } from 'unrut';
import { addition } from './addition.ts';

/** Problems of one side of the split: training text never holds a problem that is measured. */
const onSide: (heldOut: boolean) => NonNullable<ProblemFamily<readonly number[]>['drawTraining']> =
  (heldOut) => (draws) => {
    for (;;) {
      const numbers = addition.drawTest(draws);
      if ((numbers[0]! % 8 === 0) === heldOut) return numbers;
    }
  };

/** The same family with a training side, and with what a model that checks its work writes behind it. */
export const trainable: ProblemFamily<readonly number[]> = {
  ...addition,
  drawTest: onSide(true),
  drawTraining: onSide(false),
  check: (numbers, written, fresh) => [
    ...fresh.flatMap((step, at) => [
      { text: `Again: ${step.text.replace(/.* = /, '').trim()}. `, stress: 'fresh' as const },
      { text: `Checked: ${written[at]?.right ? 'right' : 'wrong'}.\n`, stress: 'mark' as const },
    ]),
    { text: `Answer: ${numbers.reduce((sum, number) => sum + number)}` },
  ],
};
