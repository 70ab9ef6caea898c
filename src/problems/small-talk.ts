import type { Stream } from '../random.ts';

/** What ordinary chats are about: a question in one of several wordings, and the answer to it. */
type Exchange = { readonly asks: readonly string[]; readonly answers: readonly string[] };

const fact = (ask: string, ...answers: string[]): Exchange => ({ asks: [ask], answers });

const EXCHANGES: readonly Exchange[] = [
  {
    asks: ['Hello!', 'Hi.', 'Hello there.', 'Good morning!', 'Good evening.'],
    answers: ['Hello! How can I help you?', 'Hello! What can I do for you?'],
  },
  { asks: ['How are you?', 'How is it going?'], answers: ['I am fine, thank you. How can I help you?'] },
  { asks: ['Thank you.', 'Thanks a lot!'], answers: ['You are welcome.'] },
  { asks: ['Goodbye.', 'See you later.'], answers: ['Goodbye!'] },
  { asks: ['Who are you?', 'What are you?'], answers: ['I am a small model that adds up words.'] },
  { asks: ['What can you do?', 'Can you help me?'], answers: ['I can add up the values of words, step by step.'] },
  fact('What is the capital of France?', 'The capital of France is Paris.'),
  fact('What is the capital of Italy?', 'The capital of Italy is Rome.'),
  fact('What is the capital of Spain?', 'The capital of Spain is Madrid.'),
  fact('What is the capital of Japan?', 'The capital of Japan is Tokyo.'),
  fact('What is the capital of Egypt?', 'The capital of Egypt is Cairo.'),
  fact('What color is the sky?', 'The sky is blue.'),
  fact('What color is grass?', 'Grass is green.'),
  fact('What color is snow?', 'Snow is white.'),
  fact('What color is a lemon?', 'A lemon is yellow.'),
  fact('What does a cow say?', 'A cow says moo.'),
  fact('What does a cat say?', 'A cat says meow.'),
  fact('Is ice cold or hot?', 'Ice is cold.'),
  fact('Is fire cold or hot?', 'Fire is hot.'),
  fact('What is the opposite of big?', 'The opposite of big is small.'),
  fact('What is the opposite of up?', 'The opposite of up is down.'),
  fact('What is the opposite of day?', 'The opposite of day is night.'),
  fact('How many days has a week?', 'A week has seven days.'),
  fact('How many legs has a spider?', 'A spider has eight legs.'),
  fact('What comes after Monday?', 'Tuesday comes after Monday.'),
  fact('What comes after May?', 'June comes after May.'),
  fact('Where do fish live?', 'Fish live in water.'),
  fact('Where do birds live?', 'Birds live in trees.'),
  fact('Who wrote Hamlet?', 'Shakespeare wrote Hamlet.'),
  fact('Tell me a word.', 'Maple.', 'Otter.', 'Pebble.'),
];

/** One to three exchanges, each with what is asked and what is answered. */
export function drawSmallTalk(draws: Stream): { readonly ask: string; readonly answer: string }[] {
  const exchanges = draws.shuffle(EXCHANGES).slice(0, 1 + draws.integer(3));
  return exchanges.map(({ asks, answers }) => ({ ask: draws.pick(asks), answer: draws.pick(answers) }));
}
