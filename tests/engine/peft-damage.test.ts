import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPeftFolder, writePeftFolder } from '../../src/engine/local/files/peft-folder.ts';
import { writeSafetensors } from '../../src/engine/local/files/safetensors.ts';
import { type AdapterShape, factorShapes, initialAdapter } from '../../src/engine/local/model/adapter.ts';
import { initialWeights, windows } from '../../src/engine/local/model/weights.ts';
import { ModelError } from '../../src/errors.ts';
import { tinyConfig } from './tiny-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'unrut-peft-'));
const sound = join(folder, 'sound');
const broken = join(folder, 'broken');
afterAll(() => rmSync(folder, { recursive: true }));

const base = initialWeights(tinyConfig, 1);
const shape: AdapterShape = { rank: 2, alpha: 32, modules: ['q_proj', 'down_proj'] };
const adapter = initialAdapter(tinyConfig, shape, 1);
const stored = () => {
  const named = windows(adapter.flat, factorShapes(tinyConfig, shape));
  return named.map((each) => ({ ...each, name: `base_model.model.${each.name}` }));
};

beforeAll(() => writePeftFolder(sound, adapter, 'models/tiny'));

async function expectRefusal(message: RegExp, wanted?: AdapterShape): Promise<void> {
  const refused = readPeftFolder(broken, base, wanted);
  await expect(refused).rejects.toBeInstanceOf(ModelError);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.not.toThrow(/\n/);
}

describe('an adapter_config.json', () => {
  function damage(changes: object): void {
    rmSync(broken, { recursive: true, force: true });
    cpSync(sound, broken, { recursive: true });
    const config = JSON.parse(readFileSync(join(sound, 'adapter_config.json'), 'utf8'));
    writeFileSync(join(broken, 'adapter_config.json'), JSON.stringify({ ...config, ...changes }));
  }

  it.each([
    [{ peft_type: 'IA3' }, /adapter_config\.json: peft_type is "IA3"; supported is "LORA"/],
    [{ r: undefined }, /adapter_config\.json: r is missing/],
    [{ r: 0 }, /adapter_config\.json: r is 0/],
    [{ lora_alpha: -1 }, /lora_alpha is -1/],
    [{ target_modules: '.*_proj' }, /target_modules is "\.\*_proj"/],
    [{ target_modules: ['q_proj', 'embed_tokens'] }, /target_modules\.1 is "embed_tokens"; supported is "q_proj"/],
    [{ bias: 'all' }, /bias is "all"; supported is "none"/],
    [{ use_rslora: true }, /use_rslora is true, which is not supported/],
    [{ use_dora: true }, /use_dora is true/],
    [{ rank_pattern: { q_proj: 4 } }, /rank_pattern is \{"q_proj":4\}/],
    [{ modules_to_save: ['lm_head'] }, /modules_to_save is \["lm_head"\]/],
    [{ something_new: 3 }, /something_new is 3, which is not supported/],
    [{ init_lora_weights: 'pissa' }, /init_lora_weights is "pissa"/],
    [
      { r: 3 },
      /adapter_model\.safetensors: base_model\.model\.model\.layers\.0\S+q_proj\.lora_A\.weight of shape \[3, 8\]/,
    ],
  ])('that says %o is refused by file and field', async (changes, message) => {
    damage(changes);
    await expectRefusal(message);
  });

  it('is read with variants that are switched off, as PEFT writes them', async () => {
    damage({ rank_pattern: {}, modules_to_save: null, use_dora: false, eva_config: null, peft_version: '0.21.2' });
    expect(await readPeftFolder(broken, base)).toEqual(adapter);
  });

  it.each([null, undefined])('that leaves its modules out (%s) is read with those that have factors', async (none) => {
    damage({ target_modules: none });
    expect(await readPeftFolder(broken, base)).toEqual(adapter);
  });

  it('of another rank or other modules than wanted is refused', async () => {
    damage({});
    await expectRefusal(/r is 2, but this policy's is 4/, { ...shape, rank: 4 });
    await expectRefusal(/target_modules is .*, but this policy's is \["q_proj"\]/, { ...shape, modules: ['q_proj'] });
  });

  it('that is missing or no JSON is refused', async () => {
    damage({});
    writeFileSync(join(broken, 'adapter_config.json'), '{');
    await expectRefusal(/adapter_config\.json: is not a JSON object/);
    rmSync(join(broken, 'adapter_config.json'));
    await expectRefusal(/adapter_config\.json: cannot be read \(ENOENT\)/);
  });
});

describe('the tensors', () => {
  async function write(tensors: ReturnType<typeof stored>): Promise<void> {
    rmSync(broken, { recursive: true, force: true });
    cpSync(sound, broken, { recursive: true });
    await writeSafetensors(join(broken, 'adapter_model.safetensors'), tensors, { format: 'pt' });
  }
  const norm = base.get('model.norm.weight');
  const copyOfNorm = { ...norm, name: `base_model.model.${norm.name}` };

  it('one that is missing', async () => {
    await write(stored().slice(1));
    await expectRefusal(/lora_A\.weight of shape \[2, 8\] is missing/);
  });

  it('a factor of one layer alone, or none at all, where the config leaves the modules out', async () => {
    const none = JSON.stringify({ peft_type: 'LORA', r: shape.rank, lora_alpha: shape.alpha });
    await write(stored().filter(({ name }) => !name.includes('layers.1.') || !name.includes('q_proj')));
    writeFileSync(join(broken, 'adapter_config.json'), none);
    await expectRefusal(/layers\.1\.self_attn\.q_proj\.lora_A\.weight of shape \[2, 8\] is missing/);
    await write([copyOfNorm]);
    writeFileSync(join(broken, 'adapter_config.json'), none);
    await expectRefusal(/adapter_model\.safetensors: no tensor is a factor of q_proj, .*has no target_modules/);
  });

  it('one that nobody asked for', async () => {
    await write([...stored(), { name: 'base_model.model.odd', shape: [1], data: new Float32Array(1) }]);
    await expectRefusal(/base_model\.model\.odd is unknown/);
  });

  it('a copy of the base model is passed over, and refused where it is another model', async () => {
    await write([...stored(), copyOfNorm]);
    expect(await readPeftFolder(broken, base)).toEqual(adapter);
    await write([...stored(), { ...copyOfNorm, data: norm.data.map((value) => value + 1) }]);
    await expectRefusal(/model\.norm\.weight is not the base model's/);
  });

  it('the file cut off, or gone', async () => {
    await write(stored());
    const path = join(broken, 'adapter_model.safetensors');
    writeFileSync(path, readFileSync(path).subarray(0, -4));
    await expectRefusal(/adapter_model\.safetensors: ends at data byte/);
    rmSync(path);
    await expectRefusal(/adapter_model\.safetensors: cannot be opened/);
  });
});
