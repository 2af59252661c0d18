// Chromium, headless, through Playwright.
import { chromium } from 'playwright-core';
import { waitTimeout } from '../../patience.mjs';

/** Chromium takes one list of these alone: Playwright's own stand first. */
const withoutFeatures = [
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PreconnectToSearch',
  'AimEnabled',
  // Pages behind the address bar that nobody sees: 1.8 s of a processor for each window.
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxPopup',
];

/** Of a browser that asks nobody and may run as root. */
const args = [
  `--disable-features=${withoutFeatures.join(',')}`,
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Playwright's own browser, for whoever wants more of it than one page. */
export async function launchBrowser({ executable, proxyPort, more = [] }) {
  const browser = await chromium.launch({
    executablePath: executable,
    timeout: waitTimeout,
    args: [...args, ...more],
    // Loopback addresses go past the proxy unless told otherwise.
    ...(proxyPort && { proxy: { server: `http://127.0.0.1:${proxyPort}`, bypass: '<-loopback>' } }),
  });
  return browser.on('context', (context) => context.setDefaultTimeout(waitTimeout));
}

/** Playwright's own context, with extensions from these folders. */
export function launchWithExtensions({ executable, extensions }) {
  const folders = extensions.join(',');
  return chromium.launchPersistentContext('', {
    executablePath: executable,
    args: [...args, `--disable-extensions-except=${folders}`, `--load-extension=${folders}`],
    ignoreDefaultArgs: ['--disable-extensions'],
  });
}

export async function startChromium({ executable, proxyPort, width, height, colorScheme }) {
  const browser = await launchBrowser({ executable, proxyPort });
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  return {
    open: (url) => page.goto(url),
    evaluate: (expression) => page.evaluate(expression),
    press: (key) => page.keyboard.press(key),
    screenshot: () => page.screenshot(),
    close: () => browser.close(),
  };
}
