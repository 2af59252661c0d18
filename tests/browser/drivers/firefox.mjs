// Firefox on a virtual display, through Marionette, its own WebDriver: docs/decisions/0010-driving-firefox.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitTimeout } from '../../patience.mjs';
import { endGroup, startDisplay } from './display.mjs';
import { keystroke, outcomeOf, scriptOf } from './webdriver.mjs';

const preferences = ({ proxyPort, colorScheme }) => ({
  'marionette.port': 0, // Any that is free; it writes down which.
  'layout.css.prefers-color-scheme.content-override': colorScheme === 'dark' ? 0 : 1,
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': proxyPort,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': proxyPort,
  'network.proxy.allow_hijacking_localhost': true,
});

export async function startFirefox({ executable, width, height, ...options }) {
  const firefox = await startBrowser(executable, preferences(options));
  try {
    const send = await startSession(firefox.profile);
    await send('WebDriver:SetTimeouts', { script: waitTimeout, pageLoad: waitTimeout });
    await resize(send, width, height);
    return {
      open: (url) => send('WebDriver:Navigate', { url }),
      evaluate: async (expression) => {
        // Scripts run beside the page: what they write to their own global object, it would not see.
        const script = scriptOf(`((globalThis) => ${expression})(window)`);
        return outcomeOf(await send('WebDriver:ExecuteAsyncScript', { script, args: [] }));
      },
      press: (key) => send('WebDriver:PerformActions', { actions: keystroke(key) }),
      screenshot: async () => Buffer.from(await send('WebDriver:TakeScreenshot', { full: false }), 'base64'),
      close: firefox.close,
    };
  } catch (error) {
    await firefox.close();
    throw error;
  }
}

async function startBrowser(executable, preferences) {
  const profile = await mkdtemp(join(tmpdir(), 'firefox-'));
  const lines = Object.entries(preferences).map((pair) => `user_pref(${pair.map((one) => JSON.stringify(one))});\n`);
  await writeFile(join(profile, 'user.js'), lines.join(''));
  const display = await startDisplay();
  const child = spawn(
    executable,
    ['--marionette', '--remote-allow-system-access', '--no-remote', '--profile', profile],
    {
      detached: true, // Its own process group, so that its parts end with it.
      stdio: 'ignore',
      env: display.env,
    },
  );
  const ended = once(child, 'exit');
  const stop = () => {
    endGroup(child, stop);
    display.stop();
  };
  process.on('exit', stop);
  const close = async () => {
    stop();
    await ended; // Until then it writes into its profile.
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { profile, close };
}

/** Resolves to a function that sends a command and resolves to its value. */
async function startSession(profile) {
  const socket = connect(await portOf(profile), '127.0.0.1');
  const waiting = new Map();
  const settle = ([_type, id, error, value]) => {
    waiting.get(id)?.(error, value);
    waiting.delete(id);
  };
  let received = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    // Each message is its length in bytes, a colon, and JSON: a greeting, then answers as [type, id, error, value].
    while (received.includes(':')) {
      const start = received.indexOf(':') + 1;
      const end = start + Number(received.subarray(0, start - 1));
      if (received.length < end) return;
      const message = JSON.parse(received.subarray(start, end));
      received = received.subarray(end);
      if (Array.isArray(message)) settle(message);
    }
  });
  const endAll = () => {
    for (const id of waiting.keys()) settle([1, id, { error: 'gone', message: 'it closed the connection' }]);
  };
  socket.on('error', () => {}).on('close', endAll);
  let last = 0;
  const send = (command, parameters) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, (failure, value) => {
        if (failure) reject(new Error(`Firefox, ${command}: ${failure.error}: ${failure.message}`));
        else resolve(value !== null && typeof value === 'object' && 'value' in value ? value.value : value);
      });
      const message = JSON.stringify([0, id, command, parameters]);
      socket.write(`${Buffer.byteLength(message)}:${message}`);
    });
  await send('WebDriver:NewSession', {});
  return send;
}

async function portOf(profile) {
  for (const deadline = Date.now() + waitTimeout; Date.now() < deadline; await sleep(100)) {
    const port = Number(await readFile(join(profile, 'MarionetteActivePort'), 'utf8').catch(() => ''));
    if (port) return port;
  }
  throw new Error('Firefox did not listen after its start.');
}

/** Makes the page, not the window around it, of this size: windows are never as narrow as a phone. */
async function resize(send, width, height) {
  await send('Marionette:SetContext', { value: 'chrome' });
  await send('WebDriver:SetWindowRect', { x: 0, y: 0, width: width + 64, height: height + 160 });
  await send('WebDriver:ExecuteScript', {
    script: `
      const { style } = gBrowser.selectedBrowser;
      style.width = style.minWidth = style.maxWidth = arguments[0] + 'px';
      style.height = style.minHeight = style.maxHeight = arguments[1] + 'px';`,
    args: [width, height],
  });
  await send('Marionette:SetContext', { value: 'content' });
  await send('WebDriver:ExecuteAsyncScript', {
    script: `
      const [width, height, finish] = arguments;
      const wait = () => (innerWidth === width && innerHeight === height ? finish() : requestAnimationFrame(wait));
      wait();`,
    args: [width, height],
  });
}
