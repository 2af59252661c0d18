// A static file server for the demo and the browser tests, with the headers the demo is meant to be hosted under.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** Under these a page is cross-origin isolated, and its workers may use threads. */
export const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/**
 * Serves the folder `root` on localhost until `close()`. A `port` that is taken gives the next free one; 0, any.
 * `base` is the path the folder appears under; `headers` are added to every answer and win over the usual ones.
 */
export async function serve({ root, port = 0, headers = {}, base = '/' }) {
  const server = createServer(async (request, response) => {
    const file = await fileFor(request, resolve(root), base);
    const common = {
      'cache-control': 'no-cache',
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      ...headers,
    };
    if (!file) {
      response.writeHead(404, { ...common, 'content-type': types['.txt'] }).end('Not found\n');
      return;
    }
    response.writeHead(200, {
      ...common,
      'content-type': types[extname(file.path)] ?? 'application/octet-stream',
      'content-length': file.size,
    });
    if (request.method === 'HEAD') response.end();
    else
      createReadStream(file.path)
        .on('error', () => response.destroy())
        .pipe(response);
  });
  const bound = await listen(server, port);
  return {
    url: `http://localhost:${bound}${base}`,
    close: () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  };
}

/** The file a request asks for, or undefined when there is none inside `root`. */
async function fileFor(request, root, base) {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  try {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    if (!path.startsWith(base)) return undefined;
    const relative = path.slice(base.length);
    const file = join(root, relative === '' || relative.endsWith('/') ? `${relative}index.html` : relative);
    // An escaped separator (%2f) survives URL normalisation, so the joined path is what must be checked.
    if (!file.startsWith(root + sep)) return undefined;
    const stats = await stat(file);
    return stats.isFile() ? { path: file, size: stats.size } : undefined;
  } catch {
    return undefined;
  }
}

function listen(server, port) {
  return new Promise((done, fail) => {
    let candidate = port;
    server.on('error', (error) => {
      if (error.code !== 'EADDRINUSE' || candidate >= port + 20) fail(error);
      else server.listen(++candidate, '127.0.0.1');
    });
    server.on('listening', () => done(server.address().port));
    server.listen(candidate, '127.0.0.1');
  });
}
