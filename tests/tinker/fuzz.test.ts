import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { stream } from '../../src/random.ts';
import { askDamaged, layGround } from './damage.ts';
import { PlainServer } from './plain-server.ts';

/** The long run of a hundred thousand is tests/tinker/fuzz-long.ts. */
const REQUESTS = 1200;

it('answers every damaged request, says what is wrong with it, and writes nowhere else', async () => {
  const server = await PlainServer.open({ gapMs: 50, pollMs: 20 });
  const ground = await layGround(server);
  const draws = stream(1, 'tinker fuzz');
  const statuses = new Map<number, number>();
  for (let round = 0; round < REQUESTS / 20; round++) {
    const asked = Array.from({ length: 20 }, () => askDamaged(server, draws, ground));
    for (const status of await Promise.all(asked)) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  expect(server.faults).toEqual([]);
  expect([statuses.get(200)! > 50, statuses.get(400)! > 300, statuses.get(404)! > 20]).toEqual([true, true, true]);
  expect((await server.ask('training_runs')).status).toBe(200);
  expect(readdirSync(dirname(server.data))).toEqual(['data']);
  await server.close();
}, 120_000);
