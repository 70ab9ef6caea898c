import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parts, stepsBetweenCheckpoints } from '../../src/cli/parts.ts';
import { readModelFolder } from '../../src/engine/local/files/model-folder.ts';
import type { Model } from '../../src/recipe/run-parts.ts';
import { changedModel, talk } from '../chat/model-files.ts';

const FRESH = { fresh: true, seed: 1 };

let model: Model;
beforeAll(async () => {
  model = await parts.openModel('models/organism', FRESH);
});
afterAll(() => model.policy.close());

describe('the parts that the command line wires in', () => {
  it('open the organism with the text that it declares', () => {
    expect(model.parameters).toBe(449_376);
    expect(model.baseText?.documents.solution).toBeGreaterThan(0);
    expect(parts.versions['onnxruntime-node']).toMatch(/^\d+\.\d+/);
  });

  it('write a checkpoint after every step, or after several where it is large', () => {
    expect(model.saveEvery).toBe(1);
    expect(stepsBetweenCheckpoints(9_768_960)).toBe(1); // a LoRA of rank 32 on SmolLM2-135M
    expect(stepsBetweenCheckpoints(134_515_008)).toBe(7); // all of its weights: 1.6 GB
  });

  it('let the probes talk to a snapshot', async () => {
    const target = parts.probeTarget('before', model.reference, model);
    const how = { maxTokens: 3, temperature: 1, seed: 2, samples: 2, tokensOfFirst: 1 };
    const replies = await target.model.reply([talk('u:a3b4|ab'), talk('u:a3b4|ab', 'a:a')], how);
    expect(replies.map((group) => group.length)).toEqual([2, 2]);
    const { text, tokens } = replies[0]![0]!;
    expect(tokens!.map((token) => token.text).join('')).toBe(text);
    for (const token of tokens!) expect(token.logprob).toBeLessThanOrEqual(token.topLogprob);
  });

  it('measure base text, role markers left out, the same for the same seed', async () => {
    const target = parts.probeTarget('before', model.reference, model);
    const [first, again, other] = await Promise.all([1, 1, 2].map((seed) => target.baseText!(3, seed)));
    expect(first).toEqual(again);
    expect(first).not.toEqual(other);
    expect(first!.flat().every((logprob) => logprob < 0)).toBe(true);
  });

  it('export a folder that opens again as the same model', async () => {
    const source = 'models/organism';
    const folder = join(changedModel({}), 'exported');
    await parts.exportModel(model, source, folder);
    const lent = ['generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'unrut.json'];
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', ...lent].sort());
    const opened = await parts.openModel(folder, { fresh: false, seed: 1 });
    const tokens = model.format.encode('Ua3b4|abESa33b47:7E');
    expect(await opened.reference.logprobs([tokens])).toEqual(await model.reference.logprobs([tokens]));
    expect((await readModelFolder(folder)).config.ropes).toEqual((await readModelFolder(source)).config.ropes);
    await opened.policy.close();
    rmSync(join(folder, '..'), { recursive: true });
  });

  it('know no base text of a model that declares none', async () => {
    const folder = changedModel({});
    const foreign = await parts.openModel(folder, FRESH);
    expect(foreign.baseText).toBeUndefined();
    expect(parts.probeTarget('before', foreign.reference, foreign).baseText).toBeUndefined();
    await foreign.policy.close();
    rmSync(folder, { recursive: true });
  });
});
