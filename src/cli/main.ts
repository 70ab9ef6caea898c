#!/usr/bin/env node
import { EXIT, explainError } from './exit.ts';
import { say } from './print.ts';
import { runCli } from './program.ts';

process.on('uncaughtException', async (error) => {
  say(explainError(error));
  const { endProcess } = await import('./end-process.ts');
  await endProcess(EXIT.error);
});
process.exitCode = await runCli(process.argv.slice(2), async () => (await import('./parts.ts')).parts);
