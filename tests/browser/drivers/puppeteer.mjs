// Chromium, headless, and Firefox, on a virtual display, through Puppeteer.
import puppeteer from 'puppeteer-core';
import { startDisplay } from './display.mjs';

const launchOptions = {
  chromium: ({ executable, proxyPort }) => ({
    browser: 'chrome',
    executablePath: executable,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--proxy-server=127.0.0.1:${proxyPort}`,
      '--proxy-bypass-list=<-loopback>', // Loopback addresses go past the proxy unless told otherwise.
    ],
  }),
  firefox: ({ executable, proxyPort, colorScheme }) => ({
    browser: 'firefox',
    executablePath: executable,
    headless: false, // Without a window it has no WebGL2.
    extraPrefsFirefox: {
      'layout.css.prefers-color-scheme.content-override': colorScheme === 'dark' ? 0 : 1,
      'network.proxy.type': 1,
      'network.proxy.http': '127.0.0.1',
      'network.proxy.http_port': proxyPort,
      'network.proxy.ssl': '127.0.0.1',
      'network.proxy.ssl_port': proxyPort,
      'network.proxy.allow_hijacking_localhost': true,
    },
  }),
};

export async function startPuppeteer(engine, options) {
  const display = engine === 'firefox' ? await startDisplay() : null;
  const browser = await puppeteer
    .launch({ ...launchOptions[engine](options), ...(display && { env: display.env }) })
    .catch((error) => {
      display?.stop();
      throw error;
    });
  const page = await browser.newPage();
  await page.setViewport({ width: options.width, height: options.height }).catch((error) => {
    // Firefox 140 takes the size but does not know the orientation that Puppeteer sets beside it.
    if (!error.message.includes('unknown command emulation.setScreenOrientationOverride')) throw error;
  });
  if (engine === 'chromium') {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: options.colorScheme }]);
  }
  return {
    open: (url) => page.goto(url),
    evaluate: (expression) => page.evaluate(expression),
    press: (key) => page.keyboard.press(key),
    screenshot: () => page.screenshot(),
    close: async () => {
      await browser.close();
      display?.stop();
    },
  };
}
