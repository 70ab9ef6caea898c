import { runCli } from '../../../src/cli/program.ts';
import { fakeParts } from './fake-parts.ts';

process.exitCode = await runCli(process.argv.slice(2), async () => fakeParts);
