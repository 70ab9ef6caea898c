import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeWhole } from '../disk/write.ts';
import { RunError } from '../errors.ts';
import { findingSchema } from './lab-finding.ts';
import { verdicts } from './lab-verdict.ts';

/** Raised by a change that breaks a reader. */
export const labSchemaName = 'unrut.lab/1';

const declarationSchema = z.strictObject({
  hypothesis: z.string(),
  metric: z.string(),
  baselines: z.array(z.string()),
  budget: z.string(),
  against: z.string(),
  notConcluded: z.string(),
});

/** `lab.json`: what was declared, what was found, and the verdict. Apart from `results.json`, which is of behaviours. */
export const labResultsSchema = z.strictObject({
  schema: z.literal(labSchemaName),
  experiment: z.string(),
  claim: z.string(),
  question: z.string(),
  declaration: declarationSchema,
  /** Of declaration, options and seed, as JSON: written into the run before it started. */
  declared_sha256: z.string(),
  options: z.json(),
  seed: z.int(),
  versions: z.record(z.string(), z.string()),
  machine: z.string(),
  started: z.iso.datetime(),
  seconds: z.number().nonnegative(),
  verdict: z.enum(verdicts),
  finding: findingSchema,
});
export type LabResults = Readonly<z.infer<typeof labResultsSchema>>;

export const LAB_FILE = 'lab.json';

/** @throws RunError naming the first field that does not fit. */
export function parseLabResults(json: unknown, source: string): LabResults {
  const parsed = labResultsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'top level';
  throw new RunError(`${source}: ${field}: ${issue?.message}; this is not a ${labSchemaName} file`);
}

/** @throws RunError where the file is missing, is no JSON, or does not hold the contract. */
export async function readLabResults(path: string): Promise<LabResults> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new RunError(`${path}: cannot be read (${error.message}); give the lab.json of a finished experiment`);
  });
  try {
    return parseLabResults(JSON.parse(text), path);
  } catch (error) {
    if (error instanceof RunError) throw error;
    throw new RunError(`${path}: is not JSON; the file is damaged, run the experiment again`);
  }
}

/** @throws RunError where the results break the contract, before anything is written. */
export async function writeLabResults(path: string, results: LabResults): Promise<void> {
  await writeWhole(path, `${JSON.stringify(parseLabResults(results, path), null, 2)}\n`);
}
