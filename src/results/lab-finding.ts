import { z } from 'zod';

/** @file What an experiment found: comparisons with a threshold that was declared, and tables and figures for a reader. */

const finite = z.number().refine(Number.isFinite);

/** `holds` is decided by the interval alone: see `verdict.ts`. */
export const comparisonSchema = z.strictObject({
  /** "transformer minus 5-gram, bits per byte". */
  name: z.string().min(1),
  unit: z.string(),
  value: finite,
  /** 95 % interval, or wider after Holm. */
  low: finite,
  high: finite,
  /** On which side of the threshold the hypothesis lies. */
  expected: z.enum(['above', 'below']),
  threshold: finite,
  /** Two-sided, against the threshold; absent where there is no test. */
  p: z.number().min(0).max(1).optional(),
  /** Documents, seeds, game classes, blocks of days: what was resampled, and how many. */
  over: z.string(),
});
export type Comparison = Readonly<z.infer<typeof comparisonSchema>>;

export const cellSchema = z.union([z.string(), finite]);

export const tableSchema = z.strictObject({
  title: z.string().min(1),
  columns: z.array(z.string()),
  rows: z.array(z.array(cellSchema)),
  /** What a reader has to know of it. */
  note: z.string().optional(),
});
export type LabTable = Readonly<z.infer<typeof tableSchema>>;

export const figureSchema = z.strictObject({
  title: z.string().min(1),
  /** `bars`: one value a name; `lines`: points by a number. */
  kind: z.enum(['bars', 'lines']),
  x: z.string(),
  y: z.string(),
  /** Logarithmic axis. */
  logX: z.boolean().optional(),
  series: z.array(
    z.strictObject({
      name: z.string(),
      /** Drawn as what all else is compared with. */
      baseline: z.boolean().optional(),
      points: z.array(z.strictObject({ x: cellSchema, y: finite, low: finite.optional(), high: finite.optional() })),
    }),
  ),
  /** A value that means something: chance, 8 bits. */
  mark: z.strictObject({ value: finite, name: z.string() }).optional(),
  note: z.string().optional(),
});
export type LabFigure = Readonly<z.infer<typeof figureSchema>>;

/** A search for test data in training data. */
export const leakScanSchema = z.strictObject({
  data: z.string(),
  method: z.string(),
  /** Items looked at, and how many of them were found on the other side. */
  looked: z.int().nonnegative(),
  found: z.int().nonnegative(),
});
export type LeakScan = Readonly<z.infer<typeof leakScanSchema>>;

export const findingSchema = z.strictObject({
  /** The number that the verdict line carries, in words. */
  headline: z.string().min(1),
  comparisons: z.array(comparisonSchema).min(1),
  /** The first one is the picture a reader would want first. */
  figures: z.array(figureSchema),
  tables: z.array(tableSchema),
  scans: z.array(leakScanSchema),
  /** Negative controls that must come out negative, and whether they did. */
  controls: z.array(z.strictObject({ name: z.string(), held: z.boolean(), what: z.string() })),
  /** What was spent, by arm: verifier calls, training tokens. */
  spent: z.record(z.string(), z.strictObject({ calls: z.int().nonnegative(), tokens: z.int().nonnegative() })),
});
export type Finding = Readonly<z.infer<typeof findingSchema>>;
