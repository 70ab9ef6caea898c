import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** How a service of another project is started, in a work folder of its own. */
export type ServiceCommand = (
  work: string,
  port: number,
) => {
  readonly command: string;
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What answers once it is ready; absent: as Tinker's services have it. */
  readonly health?: string;
};

const READY_WITHIN = 10 * 60_000;

/** A service of another project in a process of its own. */
export class ServiceProcess {
  readonly url: string;
  /** What it writes lies here. */
  readonly work: string;
  readonly #process: ChildProcess;
  #said = '';

  private constructor(work: string, port: number, process: ChildProcess) {
    this.work = work;
    this.url = `http://127.0.0.1:${port}`;
    this.#process = process;
    for (const stream of [process.stdout!, process.stderr!]) {
      stream.on('data', (data: Buffer) => {
        this.#said = (this.#said + data.toString()).slice(-4000);
      });
    }
  }

  static async start(commandOf: ServiceCommand): Promise<ServiceProcess> {
    const work = mkdtempSync(join(tmpdir(), 'unrut-service-'));
    const port = await freePort();
    const { command, words, env, health = '/api/v1/healthz' } = commandOf(work, port);
    const child = spawn(command, words, { cwd: work, env: { ...process.env, ...env }, detached: true });
    const service = new ServiceProcess(work, port, child);
    await service.#ready(health);
    return service;
  }

  async stop(): Promise<void> {
    process.kill(-this.#process.pid!, 'SIGTERM'); // its children too
    await Promise.race([once(this.#process, 'exit'), wait(20_000)]);
    rmSync(this.work, { recursive: true, force: true });
  }

  async #ready(health: string): Promise<void> {
    for (const since = Date.now(); Date.now() - since < READY_WITHIN; await wait(1000)) {
      if (this.#process.exitCode !== null) break;
      const response = await fetch(`${this.url}${health}`).catch(() => undefined);
      if (response?.ok) return;
    }
    throw new Error(`the service did not start: ${this.#said}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Why there is no such service here; undefined where there is. */
export function absence(venv: string, module: string, install: string): string | undefined {
  const python = join(venv, 'bin', 'python');
  if (!existsSync(python)) return `${python} is not there; install ${module} with ${install}`;
  return existsSync('models/organism/model.safetensors') ? undefined : 'models/organism has no weights';
}
