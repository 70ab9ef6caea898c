import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('./wasm/train.ts', import.meta.url));
const WITHOUT_NATIVE = fileURLToPath(new URL('./wasm/without-native.cjs', import.meta.url));

type Outcome = { losses: number[]; sampled: number[][]; logprobs: number[] };

async function train(flags: readonly string[]): Promise<{ outcome: Outcome; stderr: string }> {
  const words = ['--import', import.meta.resolve('tsx'), ...flags, PROGRAM];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, words);
  return { outcome: JSON.parse(stdout), stderr };
}

it('trains and samples on WebAssembly where the native executor cannot be loaded, and says what that costs', async () => {
  const native = await train([]);
  const wasm = await train(['--require', WITHOUT_NATIVE]);
  expect(native.stderr).toBe('');
  expect(wasm.stderr).toMatch(
    /^onnxruntime-node cannot be loaded \(.*\); running on WebAssembly, about .* slower; .*\n$/,
  );
  expect(wasm.outcome.sampled).toEqual(native.outcome.sampled);
  for (const [step, loss] of wasm.outcome.losses.entries()) expect(loss).toBeCloseTo(native.outcome.losses[step]!, 4);
  for (const [at, logprob] of wasm.outcome.logprobs.entries()) {
    expect(logprob).toBeCloseTo(native.outcome.logprobs[at]!, 5);
  }
});
