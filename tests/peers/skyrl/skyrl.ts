import { join } from 'node:path';
import { realClock } from '../../../src/engine/http/clock.ts';
import { Secret } from '../../../src/engine/http/secret.ts';
import { openService, type TinkerConnection } from '../../../src/tinker/client/connection.ts';
import type { Rules } from '../../../src/tinker/client/rules.ts';
import { absence, ServiceProcess } from '../services/service-process.ts';

export const VENV = process.env.UNRUT_SKYRL ?? '/tmp/venvs/skyrl';

/** Why it cannot be had here; said once a file. */
export const absent = absence(VENV, 'SkyRL', 'tests/peers/skyrl/install.sh');
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

/** It compiles every shape: seconds each on idle cores, and many times that on busy ones. */
export const COMPILING = 40 * 60_000;

/** One text at a time is trained on, so that it compiles one shape for each length and not one for each number of texts. */
const BACKEND = { max_lora_adapters: 4, max_lora_rank: 8, train_micro_batch_size: 1, sample_max_num_sequences: 32 };

/** What was compiled is kept beside the packages, for the next start. */
const CACHE = {
  JAX_COMPILATION_CACHE_DIR: join(VENV, 'jax-cache'),
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS: '0',
  JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES: '-1',
};

/** Its server over a model folder, on JAX and a CPU. @param modelOf gets the server's own folder. */
export function startSkyrl(modelOf: (work: string) => string): Promise<ServiceProcess> {
  return ServiceProcess.start((work, port) => {
    const words = ['run', '--no-project', '-m', 'skyrl.tinker.api', '--base-model', modelOf(work), '--backend', 'jax'];
    const database = ['--database-url', `sqlite:///${work}/t.db`, '--checkpoints-base', join(work, 'ck')];
    const address = ['--host', '127.0.0.1', '--port', String(port), '--backend-config', JSON.stringify(BACKEND)];
    const path = `${VENV}/bin:${process.env.PATH}`;
    const env = { VIRTUAL_ENV: VENV, PATH: path, JAX_PLATFORMS: 'cpu', HF_HUB_OFFLINE: '1', ...CACHE };
    return { command: join(VENV, 'bin/uv'), words: [...words, ...database, ...address], env };
  });
}

export function open({ url }: ServiceProcess): Promise<TinkerConnection> {
  return openService(url, new Secret(undefined), { clock: realClock, seed: 1, onWait: () => {} });
}

/** The output projection left out: this server leaves it out in any case. */
export const adapterOn = (baseModel: string) => ({
  baseModel,
  rank: 8,
  seed: 1,
  trainAttn: true,
  trainMlp: true,
  trainUnembed: false,
});

/** What it is found out to be. */
export const RULES: Rules = {
  refusedCounts: false,
  failedCounts: true,
  knowsRepeats: true,
  reduction: 'mean',
  temperedLogprobs: false,
  namelessSamplers: true,
  topLogprobs: false,
};
