import { createInterface } from 'node:readline';
import type { Result } from './work.ts';

/** A subject of the benchmark, ready for its tasks. */
export type Served<Task> = { readonly name: string; run(task: Task): Promise<Result> };

const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

/** The line protocol: a setup in, a name out; then a task in, a result out, until the input ends. */
export async function serve<Setup, Task>(open: (setup: Setup) => Promise<Served<Task>>): Promise<never> {
  let subject: Served<Task> | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    if (subject === undefined) {
      subject = await open(JSON.parse(line));
      say({ name: subject.name });
    } else say(await subject.run(JSON.parse(line)));
  }
  process.exit();
}
