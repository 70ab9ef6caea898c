import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { parts } from '../../src/cli/parts.ts';
import { readModelFolder, writeModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { readPeftShape, writePeftFolder } from '../../src/engine/local/files/peft-folder.ts';
import { initialAdapter } from '../../src/engine/local/model/adapter.ts';
import { readConfig } from '../../src/engine/local/model/architectures.ts';
import { initialWeights } from '../../src/engine/local/model/weights.ts';
import { UnrutError } from '../../src/errors.ts';
import { type Stream, stream } from '../../src/random.ts';
import { parseRecipe } from '../../src/recipe/load-recipe.ts';
import { talk } from '../chat/model-files.ts';
import { joinText, parseFile } from '../engine/safetensors-file.ts';
import { tinyConfig } from '../engine/tiny-model.ts';
import { adapterMeant, configMeant, idsMeant, recipeKept, tensorsMeant } from './meaning.ts';
import { mutateBytes, mutateJson } from './mutate.ts';

/**
 * @file Thousands of damaged inputs of every kind that is read from disk. Each is either refused with an error of ours
 * in one line, or means, read by a second reader that shares no code with the first, exactly what was made of it.
 */

const EACH = 2050;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unrut-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Half of the damage is to the bytes, half to the values. */
function mutated(draws: Stream, text: string): Uint8Array {
  if (draws.chance(0.5)) return mutateBytes(draws, encode(text));
  return encode(JSON.stringify(mutateJson(draws, JSON.parse(text))));
}

/** Counts what became of the inputs of one kind. */
class Tally {
  refused = 0;
  accepted = 0;

  /** @throws what is no error of ours, and any of ours that is more than one line. */
  async expect(input: Uint8Array, read: () => unknown, means: () => boolean): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (error instanceof UnrutError && !error.message.includes('\n')) return void this.refused++;
      throw new Error(`this input is a fault of ours: ${shown(input)}`, { cause: error });
    }
    if (!means()) throw new Error(`this input was accepted as something else: ${shown(input)}`);
    this.accepted++;
  }

  /** Damage must be seen, but not everything that was touched is damaged. */
  check(): void {
    process.stdout.write(`${this.refused} refused, ${this.accepted} accepted and still valid\n`);
    expect(this.refused + this.accepted).toBe(EACH);
    expect(this.refused).toBeGreaterThan(EACH / 4);
    expect(this.accepted).toBeGreaterThan(0);
  }
}

const shown = (input: Uint8Array): string => JSON.stringify(Buffer.from(input).toString('latin1')).slice(0, 8000);

describe('damaged inputs are refused, or mean what was read', { timeout: 600_000 }, () => {
  it('safetensors', async () => {
    await writeModelFolder(folder, initialWeights(tinyConfig, 1));
    const whole = readFileSync(at('model.safetensors'));
    const { header, data } = parseFile(whole);
    const draws = stream(1, 'fuzz safetensors');
    const tally = new Tally();
    for (let round = 0; round < EACH; round++) {
      const bytes = draws.chance(0.4)
        ? mutateBytes(draws, whole)
        : joinText(Buffer.from(mutated(draws, JSON.stringify(header))).toString('latin1'), data);
      writeFileSync(at('model.safetensors'), bytes);
      let flat: Float32Array | undefined;
      const read = async () => {
        flat = (await readModelFolder(folder)).flat;
      };
      await tally.expect(bytes, read, () => tensorsMeant(bytes, tinyConfig, flat!));
    }
    tally.check();
  });

  it('config.json', async () => {
    const text = readFileSync('models/organism/config.json', 'utf8');
    const draws = stream(1, 'fuzz config');
    const tally = new Tally();
    for (let round = 0; round < EACH; round++) {
      const bytes = mutated(draws, text);
      writeFileSync(at('config.json'), bytes);
      let config: unknown;
      const read = async () => {
        config = await readConfig(folder);
      };
      await tally.expect(bytes, read, () => isDeepStrictEqual(config, configMeant(bytes)));
    }
    tally.check();
  });

  it('adapter_config.json', async () => {
    const shape = { rank: 2, alpha: 32, modules: ['q_proj', 'v_proj', 'down_proj'] } as const;
    await writePeftFolder(at('adapter'), initialAdapter(tinyConfig, shape, 1), 'base');
    const text = readFileSync(at('adapter/adapter_config.json'), 'utf8');
    const draws = stream(1, 'fuzz adapter');
    const tally = new Tally();
    for (let round = 0; round < EACH; round++) {
      const bytes = mutated(draws, text);
      writeFileSync(at('adapter/adapter_config.json'), bytes);
      let found: unknown;
      const read = async () => {
        found = await readPeftShape(at('adapter'));
      };
      await tally.expect(bytes, read, () => isDeepStrictEqual(found, adapterMeant(bytes)));
    }
    tally.check();
  });

  const TEXTS = ['Ua3b5c7d9e2|abcdeESa33b58c75d94e26:6E', 'fghijklmnop01468<pad>?!~=+*>.YNx#@-', '<unused48>T'];

  it('tokenizer.json', async () => {
    writeOrganism();
    const text = readFileSync('models/organism/tokenizer.json', 'utf8');
    const draws = stream(1, 'fuzz tokenizer');
    const tally = new Tally();
    for (let round = 0; round < EACH; round++) {
      const bytes = mutated(draws, text);
      writeFileSync(at('tokenizer.json'), bytes);
      let ids: unknown;
      const read = async () => {
        const format = await ChatFormat.open(folder);
        ids = TEXTS.map((one) => format.encode(one));
      };
      await tally.expect(bytes, read, () =>
        isDeepStrictEqual(
          ids,
          TEXTS.map((one) => idsMeant(bytes, one)),
        ),
      );
    }
    tally.check();
  });

  it('tokenizer_config.json', async () => {
    writeOrganism();
    const text = readFileSync('models/organism/tokenizer_config.json', 'utf8');
    const draws = stream(1, 'fuzz template');
    const tally = new Tally();
    const turns = talk('u:a3b4|ab', 'a:a33b47:7', 'u:?', 'a:a3');
    for (let round = 0; round < EACH; round++) {
      const bytes = mutated(draws, text);
      writeFileSync(at('tokenizer_config.json'), bytes);
      let spoken: unknown;
      const read = async () => {
        const format = await ChatFormat.open(folder);
        const { tokens, spans } = format.render(turns);
        spoken = spans.map(({ start, end }) => format.decode(tokens.slice(start, end)));
        const prompt = format.prompt(turns);
        expect(tokens.slice(0, prompt.length)).toEqual(prompt);
      };
      await tally.expect(bytes, read, () =>
        isDeepStrictEqual(
          spoken,
          turns.filter(({ role }) => role === 'assistant').map(({ text }) => text),
        ),
      );
    }
    tally.check();
  });

  it('recipes', async () => {
    const texts = ['quickstart', 'pretrain-organism'].map((name) => readFileSync(`recipes/${name}.yaml`, 'utf8'));
    const draws = stream(1, 'fuzz recipe');
    const tally = new Tally();
    for (let round = 0; round < EACH; round++) {
      const text = draws.pick(texts);
      const bytes = draws.chance(0.5)
        ? mutateBytes(draws, encode(text))
        : encode(JSON.stringify(mutateJson(draws, parse(text))));
      let resolved: unknown;
      const read = () => {
        resolved = parseRecipe('fuzzed.yaml', Buffer.from(bytes).toString('utf8'), parts.stages).resolved;
      };
      await tally.expect(bytes, read, () => recipeKept(bytes, resolved));
    }
    tally.check();
  });
});

function writeOrganism(): void {
  for (const name of ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    writeFileSync(at(name), readFileSync(join('models/organism', name)));
  }
}
