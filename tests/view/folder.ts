import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EvalLogWriter } from '../../src/record/inspect/eval-log-writer.ts';
import { writeTranscripts } from '../../src/record/inspect/write-transcripts.ts';
import type { ProbeReport } from '../../src/results/probe-report.ts';
import { zipOf } from '../inspect/make-zip.ts';
import { fixtureProbeOnly, fixtureResults } from '../report/fixture-results.ts';

/** A folder as it looks after a while: good runs, damaged ones, logs of other programs, and a way out of it. */
export async function folderOfRuns(samples: number): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'unrut-view-'));
  const at = (path: string) => join(root, path);
  for (const name of ['quickstart-1', 'quickstart-2', 'probe-only', 'broken', 'other']) mkdirSync(at(name));
  for (const [name, right] of [['quickstart-1', 8], ['quickstart-2', 26]] as const) {
    writeFileSync(at(`${name}/results.json`), JSON.stringify(fixtureResults));
    mkdirSync(at(`${name}/probes`));
    writeFileSync(at(`${name}/probes/after.json`), JSON.stringify(report(right)));
    await writeTranscripts(at(name), fixtureResults);
  } // biome-ignore format: two runs
  writeFileSync(at('probe-only/results.json'), JSON.stringify(fixtureProbeOnly));
  writeFileSync(at('broken/results.json'), '{"schema": "unrut.res');
  writeFileSync(at('broken/cut.eval'), 'PK\x03\x04 and no more');
  writeFileSync(at('other/cut.eval'), 'PK\x03\x04 and no more');
  writeFileSync(at('other/theirs.eval'), theirs());
  await longLog(at('long.eval'), samples);
  writeFileSync(`${root}-secret.txt`, 'secret');
  symlinkSync(`${root}-secret.txt`, at('link.eval'));
  return root;
}

function report(right: number): ProbeReport {
  const outcomes = Array.from({ length: 40 }, (_, index) => {
    return { problem: `p${index}`, numerator: Number(index < right), denominator: 1 };
  });
  const problems = [{ family: 'running-sum', count: 40, sha256: '0'.repeat(64) }];
  return { problems, rows: [{ metric: 'own_wrong_corrected', outcomes }], transcripts: [] };
}

/** Markup that must not come alive, and a sample that is damaged. */
function theirs(): Buffer {
  const content = '<script>document.title = "owned"</script><img src=x onerror="document.title = \'owned\'">';
  return zipOf(
    {
      'header.json': {
        version: 2,
        status: 'error',
        error: { message: 'out of credit' },
        eval: { task: 'theirs', model: 'x' },
      },
      'samples/1_epoch_1.json': { id: 1, epoch: 1, input: 'hi', messages: [{ role: 'user', content }] },
      'samples/2_epoch_1.json': '{"id": 2',
    },
    'zstd',
  );
}

const behaviours = ['defensiveness', 'loops', 'error-checking'] as const;

async function longLog(path: string, samples: number): Promise<void> {
  const start = { task: 'long', model: 'm', started: '2026-01-01T00:00:00.000Z', versions: {}, metadata: {} };
  const writer = await EvalLogWriter.create(path, start);
  for (let index = 0; index < samples; index++) {
    const good = index % 4 === 0;
    const says = index === samples - 2 ? 'here is the needle' : `The answer is ${index}.`;
    await writer.add({
      id: `p${index}`,
      behaviour: behaviours[index % 3]!,
      problem: `What is ${index} + 0?`,
      turns: [
        { role: 'user', text: `What is ${index} + 0?`, origin: 'given' },
        { role: 'assistant', text: 'It is 3.', origin: 'injected' },
        { role: 'assistant', text: says, origin: 'sampled' },
      ],
      outcome: { text: good ? 'as wanted' : 'not as wanted', good },
    });
  }
  await writer.finish([], '2026-01-01T00:00:01.000Z');
}
