import { cpus, totalmem } from 'node:os';
import type { RunParts } from '../recipe/run-parts.ts';
import { packageVersion } from './package-root.ts';

/** Processor, threads, memory: in words. */
export function describeMachine(): string {
  const processors = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB memory`;
  return [processors[0]?.model.trim() ?? process.arch, `${processors.length} threads`, memory, process.platform].join(
    ', ',
  );
}

/** What the numbers of a run depend on beside the recipe. */
export function allVersions(parts: Pick<RunParts, 'versions'>): Record<string, string> {
  return { unrut: packageVersion, node: process.versions.node, ...parts.versions };
}
