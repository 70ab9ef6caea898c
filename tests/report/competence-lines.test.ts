import { expect, it } from 'vitest';
import { competenceLines } from '../../src/report/endpoint-lines.ts';
import type { Results } from '../../src/results/results.ts';

type Problems = NonNullable<Results['run']['problems']>[number];

const linesOf = ({
  gate,
  ...problems
}: Partial<Omit<Problems, 'gate'>> & { gate: Omit<NonNullable<Problems['gate']>, 'sha256'> }): string[] => {
  const whole = { family: 'dictionary-sum', count: 8, sha256: '', ...problems, gate: { ...gate, sha256: '' } };
  return competenceLines({ run: { problems: [whole] } } as unknown as Results); // what is read of it
};

const replies = { right: 2, wrong: 30, unreadable: 8 };
const shown = { outcome: 'wrong', text: 'Answer:\n7' } as const;

it('says how the replies of the gate came out, and shows one where most problems were not solved', () => {
  expect(linesOf({ gate: { drawn: 10, passed: 1, replies, shown } })).toEqual([
    'competence on dictionary-sum: solved 1 of 10 problems; of 40 replies 2 were right, 30 wrong and 8 unreadable',
    '  wrong, for example: "Answer:\\n7"',
    '  easier: --shots 3 shows worked examples, --set sets the dials of `unrut problems list`',
  ]);
  expect(linesOf({ gate: { drawn: 10, passed: 9, replies, shown } })).toHaveLength(1);
  expect(linesOf({ family: 'running-sum', gate: { drawn: 10, passed: 9, replies } })).toEqual([]);
});

it('says what came of easier problems', () => {
  const easier = [{ flags: '--set keys=2 --shots 3', drawn: 10, passed: 4 }];
  expect(linesOf({ shots: 3, gate: { drawn: 10, passed: 0, replies, easier } })).toEqual([
    'competence on dictionary-sum, 3 worked examples in front: solved none of 10 problems; of 40 replies 2 were right, 30 wrong and 8 unreadable',
    '  with --set keys=2 --shots 3: 4 of 10 problems solved',
  ]);
});
