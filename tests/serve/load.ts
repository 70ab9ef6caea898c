import { Agent, request } from 'node:http';

/**
 * @file How much a server answers: `npx tsx tests/serve/load.ts http://127.0.0.1:8000/v1#organism 32 640` has 32
 * clients ask 640 times, each for 32 tokens at temperature 1, and prints the rate and the time that an answer took.
 */

const [target, clients, total] = process.argv.slice(2);
const url = new URL(target!);
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

function bodyOf(nth: number): string {
  const content = `abcd${nth % 10}`;
  return JSON.stringify({
    model: url.hash.slice(1),
    messages: [{ role: 'user', content }],
    max_tokens: 32,
    seed: nth,
  });
}

type Answered = { readonly tokens: number; readonly ms: number };

function ask(nth: number): Promise<Answered> {
  const started = performance.now();
  const options = { method: 'POST', agent, headers: { 'content-type': 'application/json' } };
  return new Promise((resolve, reject) => {
    const asked = request(new URL(`${url.pathname}/chat/completions`, url), options, async (answer) => {
      const text = (await answer.setEncoding('utf8').toArray()).join('');
      if (answer.statusCode !== 200) reject(new Error(text));
      else resolve({ tokens: JSON.parse(text).usage.completion_tokens, ms: performance.now() - started });
    });
    asked.on('error', reject).end(bodyOf(nth));
  });
}

const answers: Answered[] = [];
let next = 0;
const started = performance.now();
const client = async () => {
  while (next < Number(total)) answers.push(await ask(next++));
};
await Promise.all(Array.from({ length: Number(clients) }, client));
const seconds = (performance.now() - started) / 1000;
agent.destroy();

const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0);
const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
const at = (share: number) => `${Math.round(times[Math.floor(share * (times.length - 1))]!)} ms`;
const rate = `${Math.round(answers.length / seconds)} answers/s, ${Math.round(tokens / seconds)} tokens/s`;
process.stdout.write(`${clients} clients: ${rate}; half within ${at(0.5)}, 95 % within ${at(0.95)}\n`);
