#!/usr/bin/env node
import { EXIT, explainError } from './exit.ts';
import { say } from './print.ts';
import { runCli } from './program.ts';

process.once('uncaughtException', async (error) => {
  process.on('uncaughtException', () => {}); // what comes after it follows from it
  say(explainError(error));
  const { endProcess } = await import('./end-process.ts');
  await endProcess(EXIT.error);
});
process.exitCode = await runCli(process.argv.slice(2), async () => (await import('./parts.ts')).parts);
