import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAttention } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { bytesOf, failure, works } from './loaded.ts';

describe('over HTTP', () => {
  async function serving(
    answers: { status: number; type: string; body: Uint8Array | string }[],
    use: (url: string, count: () => number) => Promise<void>,
  ) {
    let count = 0;
    const server = createServer((_, response) => {
      const answer = answers[Math.min(count++, answers.length - 1)] as (typeof answers)[number];
      response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/module.wasm`, () => count);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const good = { status: 200, type: 'application/wasm', body: bytesOf('simd') };

  test('a failed load names URL and status, and the next try fetches again', () =>
    serving([{ status: 500, type: 'text/plain', body: 'oh' }, good], async (wasm) => {
      const error = await failure({ variant: 'simd', wasm });
      expect(error.code).toBe('LOAD_FAILED');
      expect(error.message).toContain(wasm);
      expect(error.message).toContain('500');
      const engine = await createAttention({ variant: 'simd', wasm });
      works(engine);
      engine.dispose();
    }));
  test('a page of HTML with status 200 is LOAD_FAILED naming the URL', () =>
    serving([{ status: 200, type: 'text/html', body: '<!doctype html>' }], async (wasm) => {
      const error = await failure({ variant: 'simd', wasm });
      expect([error.code, error.message.includes(wasm)]).toEqual(['LOAD_FAILED', true]);
    }));
  test('a module whose transfer is cut off is LOAD_FAILED naming the URL, and the next try fetches it whole', async () => {
    const { body } = good;
    let isCut = true;
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': good.type, 'content-length': body.length });
      if (!isCut) response.end(body);
      else response.write(body.subarray(0, body.length / 2), () => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const wasm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/module.wasm`;
    try {
      const error = await failure({ variant: 'simd', wasm });
      expect([error.code, error.message.includes(wasm)]).toEqual(['LOAD_FAILED', true]);
      isCut = false;
      const engine = await createAttention({ variant: 'simd', wasm });
      works(engine);
      engine.dispose();
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
  test('any content type will do', () =>
    serving([{ ...good, type: 'application/octet-stream' }], async (wasm) => {
      const engine = await createAttention({ variant: 'simd', wasm });
      works(engine);
      engine.dispose();
    }));
  test('concurrent calls share one fetch', () =>
    serving([good], async (wasm, count) => {
      const engines = await Promise.all([1, 2, 3].map(() => createAttention({ variant: 'simd', wasm })));
      expect(count()).toBe(1);
      for (const engine of engines) {
        works(engine);
        engine.dispose();
      }
    }));
});
