import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readModelFolder, writeModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { readCheckpoint, writeCheckpoint } from '../../src/engine/local/files/policy-checkpoint.ts';
import { initialWeights } from '../../src/engine/local/model/weights.ts';
import { initialAdamState } from '../../src/engine/local/policy/adamw.ts';
import { joinFile, joinText, parseFile, type RawEntry, type RawFile } from './safetensors-file.ts';
import { tinyConfig, tinyModel } from './tiny-model.ts';

const NORM = 'model.norm.weight';
const EMBEDDING = 'model.embed_tokens.weight';

let folder: string;
let whole: Uint8Array;
const weightsFile = (): string => join(folder, 'model.safetensors');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unrut-damage-'));
  await writeModelFolder(folder, initialWeights(tinyConfig, 1));
  whole = readFileSync(weightsFile());
});
beforeEach(() => writeFileSync(weightsFile(), whole));
afterAll(() => rmSync(folder, { recursive: true }));

async function refusal(): Promise<string> {
  const error: unknown = await readModelFolder(folder).catch((thrown) => thrown);
  expect(error).toMatchObject({ name: 'ModelError' });
  const { message } = error as Error; // it is a ModelError
  expect(message).toMatch(/^[^\n]+$/);
  expect(message).toContain(folder);
  return message;
}

type Tamper = (header: Record<string, RawEntry>, file: RawFile) => void;

/** Changes the header of the whole file. */
function tamper(change: Tamper): void {
  const file = parseFile(whole);
  change(file.header, file);
  writeFileSync(weightsFile(), joinFile(file));
}

describe('damaged weights are refused by file and tensor', () => {
  it('cut off anywhere', async () => {
    for (let length = 0; length < whole.length; length += 97) {
      writeFileSync(weightsFile(), whole);
      truncateSync(weightsFile(), length);
      expect(await refusal()).toMatch(/model\.safetensors: ends/);
    }
  });

  it('with bytes too many', async () => {
    writeFileSync(weightsFile(), Buffer.concat([whole, Buffer.alloc(4)]));
    expect(await refusal()).toContain('4 bytes that belong to no tensor');
  });

  it('with an absurd header length', async () => {
    const { data } = parseFile(whole);
    for (const length of [0n, 1n, 2n ** 20n, 2n ** 40n, 2n ** 64n - 1n]) {
      writeFileSync(weightsFile(), joinText('{}', data, length));
      expect(await refusal()).toMatch(/header/);
    }
  });

  it.each(['', 'x', '[]', 'null', '{"a":', ' {}', '"{}"'])('with the header %j', async (header) => {
    writeFileSync(weightsFile(), joinText(header, new Uint8Array(0)));
    expect(await refusal()).toContain('a header that is not a JSON object');
  });

  it('with a header that is not UTF-8', async () => {
    const bytes = Uint8Array.from(whole);
    bytes[20] = 0xff;
    writeFileSync(weightsFile(), bytes);
    expect(await refusal()).toContain('a header that is not a JSON object');
  });

  const tampered: readonly (readonly [string, Tamper, RegExp])[] = [
    ['a tensor missing from the end', (header, file) => {
      const [from] = header[NORM]!.data_offsets as [number, number];
      delete header[NORM];
      Object.assign(file, { data: file.data.slice(0, from) });
    }, /model.norm.weight is missing, which config.json asks for/],
    ['an entry missing from the middle', (header) => delete header[EMBEDDING], /not from 0; the file is damaged/],
    ['a tensor by another name', (header) => rename(header, NORM, 'model.norm.wight'), /model.norm.weight is missing/],
    ['one tensor too many', (header, file) => {
      header.extra = { dtype: 'F32', shape: [1], data_offsets: [file.data.length, file.data.length + 4] };
      Object.assign(file, { data: Buffer.concat([file.data, Buffer.alloc(4)]) });
    }, /extra is unknown; config.json asks for no such tensor/],
    ['another type', norm({ dtype: 'I32' }), /norm.weight is of type I32; supported are F32/],
    ['a narrower type', norm({ dtype: 'F16' }), /32 bytes for model.norm.weight of shape \[8\], not 16/],
    ['another shape of the same size', norm({ shape: [2, 4] }), /has the shape \[2, 4\]; config.json asks for \[8\]/],
    ['another shape of another size', norm({ shape: [9] }), /not 36/],
    ['a shape that overflows', norm({ shape: [2 ** 40, 2 ** 40] }), /model.norm.weight/],
    ['a negative side', norm({ shape: [-8] }), /no sound entry for model.norm.weight/],
    ['a fraction of a side', norm({ shape: [0.5, 16] }), /no sound entry/],
    ['overlapping tensors', (header) => shift(header, NORM, -4), /model.norm.weight at bytes/],
    ['a hole', (header) => shift(header, NORM, 4), /model.norm.weight at bytes/],
    ['offsets beyond the file', norm({ data_offsets: [0, 2 ** 50] }), /at bytes|before the end/],
    ['offsets that turn back', norm({ data_offsets: [32, 0] }), /at bytes/],
    ['offsets that are text', norm({ data_offsets: ['0', '32'] }), /no sound entry/],
    ['no offsets', (header) => delete header[NORM]!.data_offsets, /no sound entry for model.norm.weight/],
    ['a field that does not belong', norm({ offsets: 1 }), /no sound entry/],
    ['an entry that is null', (header) => Object.assign(header, { [NORM]: null }), /no sound entry/],
    ['metadata that is a number', (header) => Object.assign(header, { __metadata__: 3 }), /__metadata__/],
  ]; // biome-ignore format: one kind of damage a line
  it.each(tampered)('with %s', async (_, change, message) => {
    tamper(change);
    expect(await refusal()).toMatch(message);
  });

  it('not there at all', async () => {
    rmSync(weightsFile());
    expect(await refusal()).toContain('model.safetensors: cannot be opened (ENOENT)');
  });

  it('with an index that points nowhere, elsewhere or out of the folder', async () => {
    rmSync(weightsFile());
    const index = join(folder, 'model.safetensors.index.json');
    const maps = [{ [NORM]: '../other.safetensors' }, { [NORM]: 3 }, { [NORM]: 'gone.safetensors' }];
    for (const weight_map of maps) {
      writeFileSync(index, JSON.stringify({ weight_map }));
      expect(await refusal()).toMatch(/index\.json: weight_map must|gone\.safetensors: cannot be opened/);
    }
    writeFileSync(join(folder, 'part.safetensors'), whole);
    writeFileSync(index, JSON.stringify({ weight_map: { [NORM]: 'part.safetensors' } }));
    expect(await refusal()).toMatch(/part\.safetensors: .* is not where model\.safetensors\.index\.json puts it/);
    rmSync(index);
  });
});

describe('a checkpoint is refused', () => {
  const at = (name: string): string => join(folder, 'checkpoint', name);
  const refuse = async (message: RegExp, config = tinyConfig): Promise<void> => {
    await expect(readCheckpoint(join(folder, 'checkpoint'), config)).rejects.toThrow(message);
  };
  beforeEach(async () => {
    const weights = initialWeights(tinyConfig, 1);
    await writeCheckpoint(join(folder, 'checkpoint'), { weights, adam: initialAdamState(weights.flat.length) });
  });

  it('of another shape', () =>
    refuse(/config.json: normEpsilon is 0.000001, but this policy's is 0.5/, tinyModel({ rms_norm_eps: 0.5 })));

  it('without its optimiser', async () => {
    rmSync(at('optimizer.safetensors'));
    await refuse(/optimizer.safetensors: cannot be opened/);
  });

  it('with an optimiser that lacks a moment, or the number of steps', async () => {
    const file = parseFile(readFileSync(at('optimizer.safetensors')));
    const { __metadata__, ...header } = file.header;
    writeFileSync(at('optimizer.safetensors'), joinFile({ ...file, header }));
    await refuse(/optimizer.safetensors: says no number of steps/);
    rename(file.header, `mean.${NORM}`, 'mean.other');
    writeFileSync(at('optimizer.safetensors'), joinFile(file));
    await refuse(/optimizer.safetensors: mean.model.norm.weight of shape \[8\] is missing/);
  });
});

/** Changes fields of one entry. */
const norm =
  (fields: RawEntry): Tamper =>
  (header) =>
    void Object.assign(header[NORM]!, fields);

function rename(header: Record<string, RawEntry>, from: string, to: string): void {
  header[to] = header[from]!;
  delete header[from];
}

function shift(header: Record<string, RawEntry>, name: string, by: number): void {
  const [begin, end] = header[name]!.data_offsets as [number, number]; // of a file that was written whole
  header[name]!.data_offsets = [begin + by, end + by];
}
