// One way to drive three real browsers.
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitTimeout } from '../../patience.mjs';
import { startChromium } from './chromium.mjs';
import { startFirefox } from './firefox.mjs';
import { isLocal, startProxy } from './proxy.mjs';
import { startWebKit } from './webkit.mjs';

export const engines = ['chromium', 'firefox', 'webkit'];
/** As `report-uri` of a served Content-Security-Policy, it lets `violations` see what the page breaks of it. */
export const violationPath = '/csp-violation';

// What browsers ask their makers by themselves. Each host is ignored in one engine only, so a page that asks for it
// shows in the others.
const ownTraffic = {
  chromium: /\.(google|googleapis|gvt1)\.com$/,
  firefox: /\.(mozilla\.(com|net|org)|firefox\.com)$/,
  webkit: /^$/,
};

const start = { chromium: startChromium, firefox: startFirefox, webkit: startWebKit };

/** Starts a browser with one page. `evaluate` and `waitFor` take a function that runs there and its JSON arguments. */
export async function launch(engine, { width = 1280, height = 800, colorScheme = 'light' } = {}) {
  const executables = locate(engine);
  const proxy = await startProxy(violationPath);
  const page = await start[engine]({ ...executables, proxyPort: proxy.port, width, height, colorScheme }).catch(
    (error) => {
      proxy.close();
      throw error;
    },
  );
  const evaluate = (body, ...args) => page.evaluate(`(${body})(...${JSON.stringify(args)})`);
  return {
    engine,
    evaluate,
    open: async (url) => {
      proxy.requests.length = proxy.violations.length = 0;
      await page.open(url);
    },
    waitFor: async (body, { args = [], timeout = waitTimeout } = {}) => {
      for (const deadline = Date.now() + timeout; ; await sleep(100)) {
        const value = await evaluate(body, ...args);
        if (value) return value;
        if (Date.now() > deadline) throw new Error(`${engine}: not true within ${timeout / 1000} s: ${body}`);
      }
    },
    press: async (...keys) => {
      for (const key of keys) await page.press(key);
    },
    screenshot: async (path) => writeFile(path, await page.screenshot()),
    /** Addresses asked for since `open`, by the page and by its workers. */
    requests: () => [...proxy.requests],
    foreignRequests: () => proxy.requests.filter((url) => isForeign(url, engine)),
    violations: () => [...proxy.violations],
    close: async () => {
      await page.close();
      proxy.close();
    },
  };
}

/** Whether a page of this engine, and not the browser by itself, asked another host for it. */
export function isForeign(url, engine) {
  const { hostname } = new URL(url);
  return !isLocal(hostname) && !ownTraffic[engine].test(hostname);
}

/** Where its programs are. */
export function locate(engine) {
  if (engine === 'chromium') return { executable: onPath('chromium') };
  for (const needed of ['xvfb-run', 'xauth']) onPath(needed);
  if (engine === 'firefox') return { executable: onPath('firefox-esr') };
  return { executable: onPath('WebKitWebDriver'), miniBrowser: findMiniBrowser() };
}

function onPath(name) {
  const found = process.env.PATH.split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
  return found ?? missing(name);
}

function findMiniBrowser() {
  const libraries = readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'));
  const candidates = libraries.flatMap((library) =>
    readdirSync(join('/usr/lib', library))
      .filter((name) => name.startsWith('webkit'))
      .map((name) => join('/usr/lib', library, name, 'MiniBrowser')),
  );
  return candidates.find((file) => existsSync(file)) ?? missing('MiniBrowser');
}

function missing(name) {
  throw new Error(`${name} is not installed. Run, as root: scripts/install-debian.sh browsers`);
}
