import { request } from 'node:http';
import { afterAll, expect, it } from 'vitest';
import type { OwnAddress } from '../../src/serve/host-rule.ts';
import { type HttpServer, listen } from '../../src/serve/http-server.ts';
import { PlainServer } from '../tinker/plain-server.ts';

const servers: { plain: PlainServer; http: HttpServer }[] = [];
afterAll(async () => {
  for (const { plain, http } of servers) {
    await http.stop();
    await plain.close();
  }
});

async function open(address: OwnAddress) {
  const plain = await PlainServer.open({ address });
  const http = await listen(plain.app.fetch, { host: address.host, port: 0 });
  servers.push({ plain, http });
  const port = Number(new URL(http.url).port);
  return {
    plain,
    port,
    /** The answer to a request that bears this name in its header. */
    async ask(host: string, path: string, method = 'GET'): Promise<{ status: number; body: string }> {
      return new Promise((resolve, reject) => {
        const headers = { host, 'content-type': 'application/json' };
        const asked = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
          let body = '';
          answer.on('data', (part) => {
            body += part;
          });
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
        });
        asked.on('error', reject).end(method === 'POST' ? '{}' : undefined);
      });
    },
  };
}

const ELSEWHERE = [
  'evil.example',
  'evil.example:80',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  '192.168.0.9',
];

it('answers on this machine only to names of this machine, whatever is asked for', async () => {
  const { ask, port } = await open({ host: '127.0.0.1' });
  const asked = [
    ['/v1/models', 'GET'],
    ['/health', 'GET'],
    ['/v1/chat/completions', 'POST'],
    ['/api/v1/create_session', 'POST'],
    ['/api/v1/training_runs/a/checkpoints/weights/b', 'DELETE'],
    ['/oai/api/v1/models', 'GET'],
  ] as const;
  for (const host of ELSEWHERE) {
    for (const [path, method] of asked) {
      const { status, body } = await ask(host, path, method);
      expect([host, path, status, JSON.parse(body).error.code]).toEqual([host, path, 403, 'wrong_host']);
    }
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'LOCALHOST', `[::1]:${port}`]) {
    expect([host, (await ask(host, '/v1/models')).status]).toEqual([host, 200]);
  }
});

it('answers on the network to addresses and to its public name, not to others', async () => {
  const { ask } = await open({ host: '0.0.0.0', publicUrl: new URL('https://gpu-box.lan/') });
  for (const host of ['192.168.0.9:8000', 'gpu-box.lan', 'localhost', '[fe80::1]']) {
    expect([host, (await ask(host, '/health')).status]).toEqual([host, 200]);
  }
  for (const host of ['evil.example', 'gpu-box.lan.evil.example', '1.2.3.4.evil.example']) {
    expect([host, (await ask(host, '/health')).status]).toEqual([host, 403]);
  }
});

it('gives addresses of its own, which do not hang on what the request says', async () => {
  const archive = async (address: OwnAddress, host: string) => {
    const { plain, ask, port } = await open(address);
    const model = await plain.model(await plain.session());
    const { path } = await plain.result(plain.ask('save_weights', { model_id: model, seq_id: 1, path: 'a' }));
    expect(path).toBe(`tinker://${model}/weights/a`);
    const { body } = await ask(host, `/api/v1/training_runs/${model}/checkpoints/weights/a/archive`);
    return JSON.parse(body).url.split('/archive')[0].replace(String(port), 'PORT');
  };
  expect(await archive({ host: '127.0.0.1' }, 'localhost:1')).toBe('http://127.0.0.1:PORT/api/v1');
  expect(await archive({ host: '0.0.0.0' }, '203.0.113.7:1')).toBe('http://127.0.0.1:PORT/api/v1');
  const publicUrl = new URL('https://gpu-box.lan/tinker/');
  expect(await archive({ host: '0.0.0.0', publicUrl }, '203.0.113.7')).toBe('https://gpu-box.lan/tinker/api/v1');
});
