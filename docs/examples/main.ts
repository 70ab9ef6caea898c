#!/usr/bin/env node
import {
  addArchitecture,
  createProber,
  FAMILIES,
  familyEntry,
  PROBES,
  type ProblemFamily,
  parts,
  runCli,
  stageRegistry,
} from 'unrut';
import { addition } from './addition.ts';
import { olmo3 } from './olmo3.ts';
import { recite } from './recite.ts';
import { toldWrong } from './told-wrong.ts';

addArchitecture(olmo3);

const own = {
  ...parts,
  families: [...FAMILIES, familyEntry(addition, 'adds numbers from left to right')],
  prober: (family: ProblemFamily<unknown>) => createProber(family, [...PROBES, toldWrong]),
  stages: stageRegistry([...parts.stages.values(), recite]),
};
process.exitCode = await runCli(process.argv.slice(2), async () => own);
