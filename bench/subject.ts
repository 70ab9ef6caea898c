import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { RealSetup, Result, Setup, Work } from './work.ts';

/**
 * A subject process behind the line protocol. It is stopped while it has no task, because threads that wait by spinning
 * would take a core from whoever has its turn.
 */
export class SubjectProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(name: string, child: ChildProcess, lines: AsyncIterator<string>) {
    this.name = name;
    this.#child = child;
    this.#lines = lines;
  }

  /** @param command program and arguments; @param env joins this process's environment. */
  static async start(
    command: readonly [string, ...string[]],
    env: Readonly<Record<string, string>>,
    setup: Setup | RealSetup,
  ): Promise<SubjectProcess> {
    const child = spawn(command[0], command.slice(1), {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    child.stdin!.write(`${JSON.stringify(setup)}\n`);
    const { name } = await answer<{ name: string }>(lines, command);
    const subject = new SubjectProcess(name, child, lines);
    child.kill('SIGSTOP');
    return subject;
  }

  async run(task: Work['task']): Promise<Result> {
    this.#child.kill('SIGCONT');
    this.#child.stdin!.write(`${JSON.stringify(task)}\n`);
    const result = await answer<Result>(this.#lines, [this.name]);
    this.#child.kill('SIGSTOP');
    return result;
  }

  stop(): void {
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGKILL');
  }
}

async function answer<Message>(lines: AsyncIterator<string>, who: readonly string[]): Promise<Message> {
  const { value, done } = await lines.next();
  if (done) throw new Error(`${who.join(' ')} ended before it answered`);
  return JSON.parse(value);
}
