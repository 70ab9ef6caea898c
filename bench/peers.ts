import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SubjectProcess } from './subject.ts';
import { grpo, presets, type RealSetup, realModel, type Setup, type Work } from './work.ts';

/** @file Starts the subjects: this engine, and the peers as far as they are installed. */

export type Subjects = {
  readonly ours: SubjectProcess;
  /** By the name in {@link Work.peer}; more than one where waiting threads may spin or sleep: the faster counts. */
  readonly peers: Readonly<Record<Work['peer'], readonly SubjectProcess[]>>;
  /** Why a peer is not there. */
  readonly skipped: readonly string[];
};

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** @param isReal whether the model is one of real size. */
export async function startSubjects(threads: number, withPeers: boolean, isReal: boolean): Promise<Subjects> {
  const setup = isReal ? { threads, model: realModel } : { threads, presets, grpo };
  const tsx = import.meta.resolve('tsx');
  const ours = await SubjectProcess.start(
    pinned(threads, [process.execPath, '--import', tsx, here(isReal ? 'our-real-subject.ts' : 'our-subject.ts')]),
    {},
    setup,
  );
  const peers: Record<Work['peer'], SubjectProcess[]> = { torch: [], trl: [], peft: [] };
  const skipped: string[] = [];
  const wanted = isReal ? (['peft'] as const) : (['torch', 'trl'] as const);
  for (const peer of withPeers ? wanted : []) {
    const missing = whatIsMissing(peer);
    if (missing !== undefined) skipped.push(`${peer}: ${missing}`);
    else peers[peer] = await startPeer(peer, threads, setup);
  }
  return { ours, peers, skipped };
}

/**
 * OpenMP's two ways of waiting differ with more than one thread, and which is faster depends on who else is there; of
 * a real model a second process would take too much memory.
 */
async function startPeer(peer: Work['peer'], threads: number, setup: Setup | RealSetup): Promise<SubjectProcess[]> {
  const subjects: SubjectProcess[] = [];
  for (const waiting of threads === 1 || peer === 'peft' ? ['passive'] : ['passive', 'active']) {
    const env = { OMP_NUM_THREADS: `${threads}`, OMP_WAIT_POLICY: waiting, TOKENIZERS_PARALLELISM: 'false' };
    subjects.push(
      await SubjectProcess.start(pinned(threads, [python(), here(`peers/${peer}_subject.py`)]), env, setup),
    );
  }
  return subjects;
}

function python(): string {
  const local = here('../.venv/bin/python');
  return existsSync(local) ? local : 'python3';
}

function whatIsMissing(peer: Work['peer']): string | undefined {
  try {
    execFileSync(python(), ['-c', `import ${peer}`], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${python()} cannot import it; pip install -r bench/peers/requirements.txt into .venv`;
  }
}

/** Every subject gets the same cores, as many as it has threads, so that no helper thread works on a free one. */
function pinned(threads: number, command: [string, ...string[]]): [string, ...string[]] {
  return existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', `0-${threads - 1}`, ...command] : command;
}
