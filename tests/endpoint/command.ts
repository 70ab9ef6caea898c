import { runCli } from '../../src/cli/program.ts';
import { fakeParts } from '../cli/fake/fake-parts.ts';

/** Everything that a command writes, and how it ends. */
export async function cli(words: readonly string[]): Promise<{ code: number; said: string; error: string }> {
  const { stdout, stderr } = process;
  const [write, writeError] = [stdout.write, stderr.write];
  const said: string[] = [];
  const errors: string[] = [];
  stdout.write = (text) => said.push(String(text)) > 0;
  stderr.write = (text) => errors.push(String(text)) > 0;
  try {
    const code = await runCli(words, async () => fakeParts);
    return { code, said: said.join(''), error: errors.join('') };
  } finally {
    stdout.write = write;
    stderr.write = writeError;
  }
}
