import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { RunParts } from '../recipe/run-parts.ts';
import { packageRoot, packageVersion } from './package-root.ts';

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
  return { unrut: packageVersion, ...sourceCommit(), node: process.versions.node, ...parts.versions };
}

/** Of the working tree that this runs from; an installed package has none. */
function sourceCommit(): { commit?: string } {
  if (!existsSync(join(packageRoot, '.git'))) return {}; // else git would tell of the project that unrut is installed in
  try {
    const words = ['-C', packageRoot, 'rev-parse', '--short=12', 'HEAD'];
    return { commit: execFileSync('git', words, { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' }).trim() };
  } catch {
    return {};
  }
}
