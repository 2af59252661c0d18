// The one place that sees every request of a browser, those of its workers and of other hosts included.
import http from 'node:http';
import { connect } from 'node:net';

/**
 * Passes requests to localhost on and refuses all others. `requests` has the address of each;
 * `violations` has what browsers report to `violationPath`, which is answered here.
 */
export async function startProxy(violationPath) {
  const requests = [];
  const violations = [];
  const proxy = http.createServer((request, response) => {
    const url = new URL(request.url);
    if (url.pathname === violationPath) {
      readText(request).then((text) => violations.push(JSON.parse(text)['csp-report']));
      response.writeHead(204).end();
      return;
    }
    requests.push(url.href);
    if (isLocal(url.hostname)) forward(request, response, url);
    else response.writeHead(403).end();
  });
  proxy.on('connect', (request, socket) => {
    const url = new URL(`https://${request.url}`);
    requests.push(url.href);
    socket.on('error', () => {});
    if (isLocal(url.hostname)) tunnel(socket, url.port);
    else socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  return {
    requests,
    violations,
    port: proxy.address().port,
    close: () => {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}

export const isLocal = (hostname) => hostname === 'localhost' || hostname === '127.0.0.1';

function forward(request, response, url) {
  // Bare systems cannot look the name "localhost" up.
  const to = { host: '127.0.0.1', port: url.port, path: url.pathname + url.search };
  const onward = http.request({ ...to, method: request.method, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

/** A web socket's: pages here are served without TLS. */
function tunnel(socket, port) {
  const onward = connect(port, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    onward.pipe(socket).pipe(onward);
  });
  onward.on('error', () => socket.destroy());
  socket.on('close', () => onward.destroy());
}

async function readText(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
