// These run in the page, in any of the engines.

/**
 * From now on notes of every keystroke when the text with it was painted: the model has answered, the page has changed,
 * and the frame after that is done. No frame is asked for before, which would take its share of the cores.
 */
export function recordKeystrokes() {
  const root = document.querySelector('#root');
  const field = document.querySelector('textarea');
  const records = [];
  let began = null;
  const begin = ({ timeStamp }) => {
    began ??= timeStamp;
  };
  addEventListener('keydown', begin, true);
  // What is pasted has no key.
  addEventListener('input', begin, true);
  new MutationObserver(() => {
    if (began === null || root.dataset.text !== field.value) return;
    requestAnimationFrame((frame) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        const shown = document.querySelector('.model [title="one pass through all layers"]').textContent;
        const ended = performance.now();
        if (began !== null) records.push({ began, frame, ended, pass: Number.parseFloat(shown) });
        began = null;
      };
      port2.postMessage(null);
    });
  }).observe(root, { attributes: true, attributeFilter: ['data-text'] });
  globalThis.keystrokes = records;
}

export const recorded = (least) => (globalThis.keystrokes.length >= least ? globalThis.keystrokes : null);

export function focusEnd() {
  const field = document.querySelector('textarea');
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

/** As one edit, as pasting is. */
export function setText(text) {
  const field = document.querySelector('textarea');
  field.value = text;
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
}

export const shows = (text) => document.querySelector('#root').dataset.text === text;

export const isReady = () => document.querySelector('#root')?.dataset.state === 'ready';

/** Chromium only: tasks of more than 50 ms on the page's thread. */
export function recordLongTasks() {
  globalThis.longTasks = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) globalThis.longTasks.push({ startTime, duration });
  });
  observer.observe({ type: 'longtask' });
}

/** Before the page's own scripts: when the opening example is painted, and when the model has answered. */
export function recordOpening() {
  const painted = (name) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        globalThis[name] ??= performance.now();
      };
      port2.postMessage(null);
    });
  const look = () => {
    const isDrawn = document.querySelector('[data-testid="matrix"] canvas[data-complete="true"]');
    if (isDrawn && document.querySelector('[data-testid="tokens"] button')) painted('exampleAt');
    if (document.querySelector('#root')?.dataset.state === 'ready') painted('readyAt');
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
}

/**
 * Moves the matrix, or zooms it in and out again, by one event a frame. Of each frame: the time since the one before, and
 * from the event to the end of the frame.
 */
export async function drive({ kind, count }) {
  const plot = document.querySelector('[data-testid="matrix"]');
  const { left, top, width, height } = plot.querySelector('canvas').getBoundingClientRect();
  const [x, y] = [left + 0.6 * width, top + 0.6 * height];
  const at = { clientX: x, clientY: y, bubbles: true, cancelable: true };
  plot.setPointerCapture = () => {}; // Of a pointer that is made up.
  const events = {
    zoom: (i) => new WheelEvent('wheel', { ...at, deltaY: i < count / 2 ? -48 : 48 }),
    pan: (i) => {
      const turn = (2 * Math.PI * i) / count;
      const [dx, dy] = [120 * (Math.cos(turn) - 1), 60 * Math.sin(turn)];
      return new PointerEvent('pointermove', { ...at, clientX: x + dx, clientY: y + dy });
    },
  };
  if (kind === 'pan') plot.dispatchEvent(new PointerEvent('pointerdown', { ...at, button: 0 }));
  const frames = [];
  let before = null;
  for (let i = 0; i < count; i++) {
    await new Promise((done) =>
      requestAnimationFrame((stamp) => {
        const start = performance.now();
        plot.dispatchEvent(events[kind](i));
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          if (before !== null) frames.push({ interval: stamp - before, work: performance.now() - start });
          before = stamp;
          done();
        };
        port2.postMessage(null);
      }),
    );
  }
  if (kind === 'pan') plot.dispatchEvent(new PointerEvent('pointerup', at));
  return frames;
}

/** Sets the address, which is what links do, and gives the time until the head in it is painted. */
export async function timeAddress(hash) {
  const root = document.querySelector('#root');
  const wanted = new URLSearchParams(hash);
  const start = performance.now();
  location.hash = hash;
  const isThere = () =>
    root.dataset.tokens === wanted.get('length') &&
    root.dataset.head === `${wanted.get('layer')}.${wanted.get('head')}`;
  while (!isThere()) await new Promise((done) => requestAnimationFrame(done));
  await new Promise((done) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = done;
      port2.postMessage(null);
    }),
  );
  const total = performance.now() - start;
  const pass = document.querySelector('.model [title="one pass through all layers"]');
  return { total, pass: Number.parseFloat(pass.textContent) };
}

export function countNodes() {
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
  let count = 0;
  while (walker.nextNode()) count++;
  return count;
}

export async function measureMemory() {
  const { bytes } = await performance.measureUserAgentSpecificMemory();
  return bytes;
}
