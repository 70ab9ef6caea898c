import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeModel } from '../../src/cli/parts.ts';
import { readModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { Interrupted } from '../../src/errors.ts';
import { fetchModel } from '../../src/hub/fetch-model.ts';
import { parseHubName } from '../../src/hub/hub-name.ts';
import { randomChatModel } from '../cli/chat-model-folder.ts';
import { temporaryFolder } from '../temporary.ts';
import { COMMIT, StubHub } from './stub-hub.ts';

const TOKEN = 'hf_secretsecretsecret';
/** What the model's folder holds, and the hub beside other files. */
const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
const NAME = { id: 'acme/tiny', revision: 'main' };

let hub: StubHub;
let cache: string;
beforeEach(async () => {
  hub = await StubHub.open(await randomChatModel());
  emptyCache();
  vi.stubEnv('HF_ENDPOINT', hub.url);
  for (const name of ['HF_TOKEN', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_HUB_OFFLINE'])
    vi.stubEnv(name, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});

function emptyCache(): void {
  cache = temporaryFolder();
  vi.stubEnv('HF_HOME', cache);
}

const repository = (): string => join(cache, 'hub', 'models--acme--tiny');
const fetchIt = (shares: number[] = []) => fetchModel(NAME, (share) => shares.push(share));
const refusal = async (): Promise<string> =>
  fetchIt().then(
    () => 'no refusal',
    (error: Error) => error.message,
  );

describe('a model of the hub', () => {
  it('comes into the shared cache as Hugging Face lays it out, only what is needed, and once', async () => {
    vi.stubEnv('HF_TOKEN', TOKEN);
    const shares: number[] = [];
    const { folder, name } = await fetchIt(shares);
    expect(name).toBe(`acme/tiny@${COMMIT}`);
    expect(folder).toBe(join(repository(), 'snapshots', COMMIT));
    expect(readFileSync(join(repository(), 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(readdirSync(folder).sort()).toEqual(FILES);
    expect(hub.fetched.sort()).toEqual(FILES);
    expect(readlinkSync(join(folder, 'model.safetensors'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    expect(readlinkSync(join(folder, 'config.json'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    expect(shares.at(-1)).toBe(1);
    await readModelFolder(folder);
    const before = hub.fetched.length;
    await fetchIt();
    expect(hub.fetched).toHaveLength(before);
  });

  it('shows the token to the hub and to nobody else', async () => {
    vi.stubEnv('HF_TOKEN', TOKEN);
    hub.faults.pageElsewhere = true;
    await fetchIt();
    const [ofStore, ofHub] = [true, false].map((store) =>
      hub.asked.filter(({ path }) => /^\/(store\/|page)/.test(path) === store),
    );
    expect(new Set(ofHub!.map(({ token }) => token))).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(new Set(ofStore!.map(({ token }) => token))).toEqual(new Set([undefined]));
  });

  it('is resumed where the connection broke off, in the same process and by the next one', async () => {
    const { folder } = await fetchIt();
    const weights = readFileSync(join(folder, 'model.safetensors'));
    emptyCache();
    const blobs = join(repository(), 'blobs');
    mkdirSync(blobs, { recursive: true });
    const digest = readlinkSync(join(folder, 'model.safetensors')).split('/').at(-1)!;
    writeFileSync(join(blobs, `${digest}.incomplete`), weights.subarray(0, 1000));
    hub.asked.length = 0;
    hub.faults.cuts = [...Array<undefined>(FILES.length - 1), 500]; // the weights come last
    const again = await fetchIt();
    expect(readFileSync(join(again.folder, 'model.safetensors')).equals(weights)).toBe(true);
    const ranges = hub.asked.filter(({ path }) => path === '/store/model.safetensors').map(({ range }) => range);
    expect(ranges).toEqual(['bytes=1000-', 'bytes=1500-']);
  });

  it('lends files, not links, to a model that is trained from it', async () => {
    const { folder } = await fetchIt();
    const trained = join(temporaryFolder(), 'model');
    await writeModel(await readModelFolder(folder), folder, trained);
    const links = readdirSync(trained).filter((file) => lstatSync(join(trained, file)).isSymbolicLink());
    expect(links).toEqual([]);
    expect(readdirSync(trained).sort()).toEqual(FILES);
  });

  it('lends its tokenizer and template without its weights', async () => {
    await fetchModel(NAME, () => {}, false);
    expect(hub.fetched.sort()).toEqual(FILES.filter((file) => file !== 'model.safetensors'));
    await hub.close();
    await fetchModel(NAME, () => {}, false);
    expect(await refusal()).toMatch(/holds no whole copy/);
  });

  it('keeps what came before it was interrupted', async () => {
    const stopped = fetchModel(NAME, () => {
      throw new Interrupted('stopped');
    });
    await expect(stopped).rejects.toThrow(Interrupted);
    hub.asked.length = 0;
    await fetchIt();
    expect(hub.fetched).toEqual([]); // all of these few bytes had come
  });

  it('is refused when its bytes are not what the digest says', async () => {
    hub.faults.damage = true;
    expect(await refusal()).toMatch(/config.json: the download does not match its digest/);
    expect(readdirSync(join(repository(), 'blobs'))).toEqual([]);
    hub.faults.damage = false;
    await fetchIt();
  });

  it('is taken from the cache when the hub is away, and said to be', async () => {
    expect(await refusal()).toBe('no refusal');
    await hub.close();
    const { folder, notice } = await fetchIt();
    expect(folder).toBe(join(repository(), 'snapshots', COMMIT));
    expect(notice).toMatch(
      /^acme\/tiny: cannot reach 127.0.0.1:\d+: [A-Z_]+; takes the copy in the cache \(c0ffee000000\)$/,
    );
    emptyCache();
    expect(await refusal()).toMatch(
      /cannot reach 127.0.0.1:\d+: [A-Z_]+, and .*models--acme--tiny holds no whole copy/,
    );
  });

  it('is not asked for where HF_HUB_OFFLINE is set', async () => {
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await refusal()).toMatch(
      /^acme\/tiny: HF_HUB_OFFLINE is set, and .* holds no whole copy; connect, or name a folder$/,
    );
    expect(hub.asked).toEqual([]);
  });
});

describe('a refusal of the hub says what it means', () => {
  it.each([
    [
      { status: 401, code: 'GatedRepo' },
      '',
      /^acme\/tiny: is gated: ask for access at .*\/acme\/tiny, then put an access token into HF_TOKEN$/,
    ],
    [
      { status: 403, code: 'GatedRepo' },
      TOKEN,
      /is gated: .* put a token of an account with access into HF_TOKEN; the one that is there has none$/,
    ],
    [
      { status: 401, code: 'RepoNotFound' },
      '',
      /has no such model, or it is private; check the name, or put an access token/,
    ],
    [{ status: 418 }, '', /refuses with status 418$/],
    [{ status: 503 }, '', /answers 503; try later, and .* holds no whole copy/],
  ])('%j', async (answer, token, sentence) => {
    vi.stubEnv('HF_TOKEN', token);
    hub.faults.refusal = answer;
    const message = await refusal();
    expect(message).toMatch(sentence);
    expect(message).not.toContain(TOKEN);
  });

  it('an unknown revision is named', async () => {
    const message = await fetchModel({ id: 'acme/tiny', revision: 'v9' }, () => {}).catch(
      (error: Error) => error.message,
    );
    expect(message).toMatch(/^acme\/tiny: has no revision "v9"; see http:.*\/acme\/tiny\/tree\/main$/);
  });

  it('a token that is none is not repeated', async () => {
    vi.stubEnv('HF_TOKEN', 'sk-not-of-the-hub');
    expect(await refusal()).toBe('HF_TOKEN: is not an access token of the hub, which begins with hf_; set it again');
  });
});

it.each([
  ['HuggingFaceTB/SmolLM2-135M-Instruct', { id: 'HuggingFaceTB/SmolLM2-135M-Instruct', revision: 'main' }],
  ['a/b@v1.0', { id: 'a/b', revision: 'v1.0' }],
  ['a/b@refs/pr/3', { id: 'a/b', revision: 'refs/pr/3' }],
  ['gpt2', undefined],
  ['../a/b', undefined],
  ['a/../b', undefined],
  ['/a/b', undefined],
  ['a/b/c', undefined],
  ['a/b@../../x', undefined],
  ['a/b.gguf', undefined],
])('%s as a name of the hub', (text, name) => expect(parseHubName(text)).toEqual(name));
