// WebKitGTK through its own WebDriver, on a virtual display.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitTimeout } from '../../patience.mjs';
import { endGroup, startDisplay } from './display.mjs';
import { keystroke, outcomeOf, scriptOf } from './webdriver.mjs';

export async function startWebKit({ executable, miniBrowser, proxyPort, width, height, colorScheme }) {
  const driver = await startDriver(executable);
  const session = await newSession(driver, miniBrowser, [
    '--automation',
    '--full-screen', // Without it the toolbar keeps the window wider than a phone.
    `--proxy=http://127.0.0.1:${proxyPort}`,
    ...(colorScheme === 'dark' ? ['--dark-mode'] : []),
  ]);
  const send = (method, path, body) => driver.send(method, `/session/${session}${path}`, body);
  await send('POST', '/window/rect', { x: 0, y: 0, width, height });
  await send('POST', '/timeouts', { script: waitTimeout, pageLoad: waitTimeout });
  return {
    open: (url) => send('POST', '/url', { url }),
    evaluate: async (expression) =>
      outcomeOf(await send('POST', '/execute/async', { script: scriptOf(expression), args: [] })),
    press: (key) => send('POST', '/actions', { actions: keystroke(key) }),
    screenshot: async () => Buffer.from(await send('GET', '/screenshot'), 'base64'),
    close: async () => {
      await send('DELETE', '').catch(() => {});
      driver.stop();
    },
  };
}

async function startDriver(executable) {
  const port = await freePort();
  const display = await startDisplay();
  const child = spawn(executable, [`--port=${port}`], {
    detached: true, // Its own process group, so that the browser ends with it.
    stdio: 'ignore',
    env: { ...display.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' },
  });
  const stop = () => {
    endGroup(child, stop);
    display.stop();
  };
  process.on('exit', stop);
  const send = async (method, path, body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`WebKitWebDriver, ${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  for (const deadline = Date.now() + waitTimeout; Date.now() < deadline; await sleep(100)) {
    if (await send('GET', '/status').catch(() => false)) return { send, stop };
  }
  stop();
  throw new Error(`${executable} did not answer after its start.`);
}

async function newSession(driver, binary, args) {
  try {
    const alwaysMatch = { 'webkitgtk:browserOptions': { binary, args } };
    return (await driver.send('POST', '/session', { capabilities: { alwaysMatch } })).sessionId;
  } catch (error) {
    driver.stop();
    throw error;
  }
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
