import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runningSumFamily } from '../../../src/problems/running-sum-family.ts';
import { stream } from '../../../src/random.ts';

const PYTHON = process.env.UNRUT_PYTHON ?? '.venv/bin/python';
const FOLDER = 'models/organism';
const PROBLEMS = 16;

/** Logits move by tenths; both are single precision. */
const BAR = 1e-4;

/** Why there is nothing to compare with; undefined where there is. */
function absence(): string | undefined {
  if (!existsSync(`${FOLDER}/model.safetensors`))
    return `${FOLDER} has no weights; make them with unrut run pretrain-organism`;
  try {
    execFileSync(PYTHON, ['-c', 'import torch, transformers, fastapi, uvicorn'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${PYTHON} has no transformers[serving]; see tests/peers/serve/README.md`;
  }
}

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

type Peer = { readonly process: ChildProcess; readonly url: string; readonly model: string };

let ours: Peer;
let theirs: Peer;

describe.skipIf(absent !== undefined)('transformers serve on the same folder', () => {
  beforeAll(async () => {
    const command = ['node_modules/.bin/tsx', 'src/cli/main.ts', 'serve', FOLDER];
    ours = await start(process.execPath, command, 'organism');
    const script = 'import sys; from transformers.cli.transformers import main; sys.exit(main())';
    theirs = await start(PYTHON, ['-c', script, 'serve', FOLDER, '--device', 'cpu'], FOLDER);
  });
  afterAll(() => {
    for (const peer of [ours, theirs]) peer?.process.kill('SIGTERM');
  });

  const draws = stream(5, 'peer');
  const prompts = Array.from({ length: PROBLEMS }, () => runningSumFamily.prompt(runningSumFamily.drawTest(draws)));

  it('says the same, greedily, in chat and in completions, in one piece and streamed', async () => {
    for (const content of prompts) {
      const spoken = await chat(ours, content);
      expect(await chat(theirs, content)).toEqual(spoken);
      expect(await streamed(theirs, content)).toBe(await streamed(ours, content));
      expect(await complete(theirs, `U${content}ES`)).toBe(await complete(ours, `U${content}ES`));
      expect(spoken.text).toBe(await complete(ours, `U${content}ES`));
    }
  });

  it('finds each token of that as likely', async () => {
    const texts = await Promise.all(prompts.map(async (content) => `U${content}ES${(await chat(ours, content)).text}`));
    const known = JSON.parse(
      execFileSync(PYTHON, ['tests/peers/serve/score.py', FOLDER], { input: JSON.stringify(texts) }).toString(),
    );
    for (const [at, prompt] of texts.entries()) {
      const scored = { model: ours.model, prompt, max_tokens: 0, echo: true, logprobs: 0 };
      const { logprobs } = (await client(ours).completions.create(scored)).choices[0]!;
      const own = logprobs!.token_logprobs!.slice(1);
      expect(own.length).toBe(known[at].length);
      expect(Math.max(...own.map((logprob, place) => Math.abs(logprob - known[at][place])))).toBeLessThan(BAR);
    }
  });
});

const client = ({ url }: Peer): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });

const asked = ({ model }: Peer, content: string) => {
  return { model, messages: [{ role: 'user' as const, content }], max_tokens: 60, temperature: 0 };
};

async function chat(peer: Peer, content: string) {
  const { choices, usage } = await client(peer).chat.completions.create(asked(peer, content));
  return { text: choices[0]!.message.content, finish: choices[0]!.finish_reason, read: usage!.prompt_tokens };
}

async function streamed(peer: Peer, content: string): Promise<string> {
  let text = '';
  const events = await client(peer).chat.completions.create({ ...asked(peer, content), stream: true });
  for await (const { choices } of events) text += choices[0]?.delta.content ?? '';
  return text;
}

async function complete(peer: Peer, prompt: string): Promise<string> {
  const request = { model: peer.model, prompt, max_tokens: 60, temperature: 0 };
  return (await client(peer).completions.create(request)).choices[0]!.text;
}

/** A server on a free port, once it answers. */
async function start(command: string, words: readonly string[], model: string): Promise<Peer> {
  const port = await freePort();
  const child = spawn(command, [...words, '--port', String(port), '--host', '127.0.0.1'], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health`).then(({ ok }) => ok, () => false))) {
    if (child.exitCode !== null) throw new Error(`${command} ${words.join(' ')} ended with ${child.exitCode}`);
    await wait(500);
  }
  return { process: child, url, model };
} // biome-ignore format: one thought

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
