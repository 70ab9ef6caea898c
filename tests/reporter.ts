import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Counts the tests that ran, in one plain line: `212 passed, 0 failed, 3 skipped`. It goes to the file that
 * UNRUT_TEST_COUNTS names, which `.ci/run` prints last of all, or to standard output.
 */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const count = (state: string) => states.filter((one) => one === state).length;
    const failed = count('failed') + brokenParts(modules) + unhandledErrors.length;
    // a test that never came to run, because a hook or the run itself broke, counts as skipped beside that failure
    const skipped = count('skipped') + count('pending');
    const line = `${count('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
    const file = process.env.UNRUT_TEST_COUNTS;
    if (file) writeFileSync(file, line);
    else process.stdout.write(`\n${line}`);
  }
}

/** Files that could not be loaded and suites whose hooks threw: failures that no test stands for. */
function brokenParts(modules: readonly TestModule[]): number {
  const suites = modules.flatMap((module) => [...module.children.allSuites()]);
  return [...modules, ...suites].filter((part) => part.errors().length > 0).length;
}
