#!/usr/bin/env node
import { createProber, PROBES, parts, runCli, stageRegistry } from 'unrut';
import { addition } from './addition.ts';
import { imitate } from './imitate.ts';
import { toldWrong } from './told-wrong.ts';

const own = {
  ...parts,
  prober: createProber(addition, [...PROBES, toldWrong]),
  stages: stageRegistry([...parts.stages.values(), imitate]),
};
process.exitCode = await runCli(process.argv.slice(2), async () => own);
