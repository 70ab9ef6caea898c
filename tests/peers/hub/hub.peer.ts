import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchModel } from '../../../src/hub/fetch-model.ts';
import { randomChatModel } from '../../cli/chat-model-folder.ts';
import { COMMIT, StubHub } from '../../hub/stub-hub.ts';
import { temporaryFolder } from '../../temporary.ts';

const PYTHON = process.env.UNRUT_PYTHON ?? '.venv/bin/python';

function absence(): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import huggingface_hub'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${PYTHON} has no huggingface_hub; see tests/peers/hub/README.md`;
  }
}

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

/** Does not block: the hub answers from this process. */
async function python(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(PYTHON, ['-c', `from huggingface_hub import *\n${program}`]);
  return stdout.trim();
}

describe.skipIf(absent !== undefined)('the cache is shared with Python', () => {
  const name = { id: 'acme/tiny', revision: 'main' };
  let hub: StubHub;
  beforeAll(async () => {
    hub = await StubHub.open(await randomChatModel());
  });
  afterAll(() => hub.close());
  beforeEach(() => {
    hub.asked.length = 0;
    vi.stubEnv('HF_HOME', temporaryFolder());
    vi.stubEnv('HF_ENDPOINT', hub.url);
    vi.stubEnv('HF_HUB_DISABLE_XET', '1');
  });

  it('Python finds what unrut fetched', async () => {
    const { folder } = await fetchModel(name, () => {});
    expect(await python('print(snapshot_download("acme/tiny", local_files_only=True))')).toBe(folder);
    const weights = await python('print(try_to_load_from_cache("acme/tiny", "model.safetensors"))');
    expect(weights).toBe(join(folder, 'model.safetensors'));
    const [repository] = JSON.parse(
      await python('import json; print(json.dumps([[r.repo_id, len(r.revisions)] for r in scan_cache_dir().repos]))'),
    );
    expect(repository).toEqual(['acme/tiny', 1]);
  });

  it('unrut finds what Python fetched', async () => {
    const files = [
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ];
    const fetched = await python(`print([hf_hub_download("acme/tiny", f) for f in ${JSON.stringify(files)}][2])`);
    hub.asked.length = 0;
    const { folder } = await fetchModel(name, () => {});
    expect(folder).toContain(COMMIT);
    expect(hub.fetched).toEqual([]);
    expect(realpathSync(join(folder, 'model.safetensors'))).toBe(realpathSync(fetched));
    expect(readFileSync(join(folder, 'config.json')).length).toBeGreaterThan(0);
  });
});
