import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stream } from '../../src/random.ts';
import { askDamaged, type Ground, layGround } from './damage.ts';
import { PlainServer } from './plain-server.ts';

/**
 * @file `npx tsx tests/tinker/fuzz-long.ts [100000 [SEED]]`: so many damaged requests in the working folder of a moment;
 * prints the statuses, the memory and what was written, and ends with 1 on the first answer that may not be.
 */

async function fresh({ session }: Ground): Promise<Ground> {
  await server.ask(`sessions/${session}/finish`, {});
  return layGround(server);
}

const [count = '100000', seed = '1'] = process.argv.slice(2);
const server = await PlainServer.open({ gapMs: 50, pollMs: 20 });
let ground = await layGround(server);
const draws = stream(Number(seed), 'tinker fuzz');
const statuses: Record<number, number> = {};
for (let sent = 0; sent < Number(count); sent += 50) {
  if (sent % 1000 === 0) ground = await fresh(ground); // numbers that are used up are only refused
  for (const status of await Promise.all(Array.from({ length: 50 }, () => askDamaged(server, draws, ground)))) {
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  if (sent % 5000 === 0) process.stdout.write(`${sent} ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB\n`);
}
const beside = readdirSync(dirname(server.data)).filter((name) => name !== 'data');
const alive = (await server.ask('get_server_capabilities')).status;
const files = readdirSync(server.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
const written = { files: files.length, bytes, beside };
process.stdout.write(`${JSON.stringify({ statuses, alive, faults: server.faults.length, ...written })}\n`);
await server.close();
process.exit(server.faults.length + beside.length === 0 && alive === 200 ? 0 : 1);
