import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { builtInMetrics, metricOf } from '../../src/results/metrics.ts';
import { resultsSchema, resultsSchemaName } from '../../src/results/results.ts';

const guide = readFileSync(new URL('../../docs/results.md', import.meta.url), 'utf8');

describe('docs/results.md', () => {
  it('names the schema and every field of it', () => {
    expect(guide).toContain(resultsSchemaName);
    const named = new Set(guide.match(/[a-zA-Z_0-9]+/g));
    expect(fieldsOf(z.toJSONSchema(resultsSchema, { unrepresentable: 'any' })).filter((field) => !named.has(field))).toEqual(
      [],
    );
  }); // biome-ignore format: one claim a line

  it('says of every metric what the code says', () => {
    for (const name of builtInMetrics) {
      const { unit, direction, meaning, mirror } = metricOf(name);
      expect(guide).toContain(
        `| \`${name}\` | ${unit} | ${direction} | ${meaning} | ${mirror ? `\`${mirror}\`` : ''} |`,
      );
    }
  });
});

/** The names of all properties, at any depth. */
function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'properties' in schema ? Object.keys(schema.properties as object) : []; // JSON schema has an object here
  return [...own, ...Object.values(schema).flatMap(fieldsOf)];
}
