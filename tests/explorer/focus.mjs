import { expect } from 'vitest';

/**
 * Presses Tab (or Shift+Tab) until the focus is on what matches the selector, and expects every stop on the way to show
 * that it has the focus.
 */
export async function tabTo(page, selector, key = 'Tab') {
  for (let count = 0; count < 60; count++) {
    await page.keyboard.press(key);
    const stop = await page.evaluate(readFocus);
    expect(stop, `after ${count + 1} × ${key} on the way to ${selector}`).toMatchObject({ isVisible: true });
    if (await page.evaluate((name) => document.activeElement.matches(name), selector)) return;
  }
  throw new Error(`60 × ${key} did not lead to ${selector}`);
}

/** Every stop of Tab from the top of the page to its end. */
export async function tabStops(page) {
  await page.evaluate(() => document.activeElement.blur());
  const stops = [];
  for (let count = 0; count < 80; count++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(readFocus);
    if (!stop || stops.some(({ id }) => id === stop.id)) return stops;
    stops.push(stop);
  }
  throw new Error('Tab went on for 80 stops.');
}

/** In the page. What has the focus, null for the page itself, and whether a ring or the line under the text shows it. */
function readFocus() {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  globalThis.stopCount ??= 0;
  element.stopId ??= ++globalThis.stopCount;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const hasRing = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
  const probe = document.body.appendChild(document.createElement('span'));
  probe.style.color = 'var(--accent)';
  const isUnderlined = element.localName === 'textarea' && boxShadow.startsWith(getComputedStyle(probe).color);
  probe.remove();
  const { width, height, top, bottom, left, right } = element.getBoundingClientRect();
  const isOnScreen = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth && width > 0 && height > 0;
  return {
    id: element.stopId,
    name: element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 40),
    isVisible: isOnScreen && (hasRing || isUnderlined),
  };
}
