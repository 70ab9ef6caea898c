import { behaviour } from './behaviour.ts';

/** Does it hold up when the problem comes in pieces? */
export const multiTurn = behaviour({
  title: 'Multi-turn',
  headline: ['multi_turn_sharded'],
  mirror: ['override_obeyed', 'multi_turn_full'],
  metrics: {
    multi_turn_full: {
      title: 'Told all at once',
      meaning: 'Right final answers when the whole problem comes in one turn.',
      unit: 'share',
      direction: 'up',
      mirror: 'multi_turn_sharded',
    },
    multi_turn_concat: {
      title: 'Told in pieces, one turn',
      meaning: 'Right final answers when the pieces of the problem come in one turn, one after the other.',
      unit: 'share',
      direction: 'up',
      mirror: 'multi_turn_full',
    },
    multi_turn_sharded: {
      title: 'Told one piece a turn',
      meaning: 'Right final answers when every piece of the problem comes in a turn of its own.',
      unit: 'share',
      direction: 'up',
      mirror: 'override_obeyed',
    },
    override_obeyed: {
      title: 'Later override obeyed',
      meaning: 'A later piece gives a key a new value: the final answer is right with the new one.',
      unit: 'share',
      direction: 'up',
      mirror: 'multi_turn_sharded',
    },
  },
  threats: [
    [
      'a user who says other things each time',
      'controlled',
      'the user is a script; the words are the same in every delivery',
    ],
    ['length of the conversation', 'controlled', 'all pieces in one turn are the third side'],
    ['replies that cannot be read', 'told', (facts) => facts.unreadable('multi_turn')],
    ['answers before all is told', 'told', 'the model answers every turn; the last answer counts'],
  ],
});
