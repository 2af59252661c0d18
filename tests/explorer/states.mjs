// The page in each of its states, for whoever looks at all of them: axe, the layout tests, the screenshots.
import { openReady, shown } from './chromium.mjs';
import { field, tab, token } from './hooks.mjs';
import { sentence } from './site.mjs';

const longText = Array.from({ length: 60 }, () => sentence).join(' ');
const button = (page, name) => page.getByRole('button', { name, exact: true });

/** Before the model has answered: what becomes of the weights decides. */
export const earlyStates = {
  loading: { weights: () => {}, until: 'loading' },
  error: { weights: (route) => route.fulfill({ status: 503, body: '' }), until: 'error' },
};

export async function openEarly(page, url, { weights, until }) {
  await page.route('**/*.safetensors', weights);
  await page.goto(url);
  await page.waitForSelector(`#root[data-state="${until}"]`, { state: 'attached' });
}

export const lessons = ['pronoun', 'query-key-value', 'many-heads', 'causal-mask', 'positions', 'cost', 'explanation'];

export async function openLesson(page, id) {
  await tab(page, 'Learn').click();
  const lesson = page.getByTestId(`lesson-${id}`);
  if ((await lesson.getAttribute('open')) === null) await lesson.locator('summary').click();
  await lesson.locator('p').first().waitFor();
}

/** Each begins where a fresh page is ready. */
export const states = {
  ready: async () => {},
  unlocked: (page) => page.keyboard.press('Escape'),
  'several locked': async (page) => {
    await page.getByRole('checkbox', { name: 'lock several' }).check();
    for (const index of [2, 7]) await token(page, index).click();
  },
  'without separators': (page) => page.getByRole('checkbox', { name: /^hide/ }).check(),
  rollout: async (page) => {
    await page.getByLabel('Shown').selectOption('rollout');
    await page.getByRole('heading', { name: /^Rollout/ }).waitFor();
  },
  table: async (page) => {
    await openMatrix(page);
    await button(page, 'Table').click();
  },
  zoomed: async (page) => {
    await openMatrix(page);
    await button(page, 'Zoom in').click();
  },
  'step by step': async (page) => {
    await page.getByText('Step by step').click();
    await page.getByTestId('steps-keys').waitFor();
    await page.getByText('Dimension by dimension').click();
  },
  'heads in order': async (page) => {
    await page.getByLabel('sort').selectOption('pair');
    await page.getByTestId('baseline').waitFor();
  },
  masks: (page) => tab(page, 'Masks').click(),
  'masks in use': async (page) => {
    await tab(page, 'Masks').click();
    await page.getByRole('checkbox', { name: /^causal/ }).check();
    await button(page, 'Add “it”').click();
    await button(page, 'Hide the locked pair').click();
    await page.getByRole('list').filter({ hasText: 'rows 9–9' }).waitFor();
  },
  compare: (page) => tab(page, 'Compare').click(),
  compared: async (page) => {
    await tab(page, 'Compare').click();
    await button(page, 'Pin this view as A').click();
    await page.getByRole('radio', { name: 'Layer 3, head 2' }).click();
    await shown(page, { head: '3.2' });
    await openMatrix(page);
    await page.getByTestId('compared-pair').waitFor();
  },
  'what if': async (page) => {
    await tab(page, 'Compare').click();
    await button(page, 'Switch this head off').click();
    await page.getByTestId('effects').waitFor();
  },
  ...Object.fromEntries(lessons.map((id) => [`lesson ${id}`, (page) => openLesson(page, id)])),
  speed: (page) => tab(page, 'Speed').click(),
  empty: async (page) => {
    await field(page).fill('');
    await shown(page, { text: '' });
  },
  'too long': async (page) => {
    await field(page).fill(longText);
    await shown(page, { text: longText });
  },
  'long sequence': async (page) => {
    await page.evaluate(() => {
      location.hash = 'model=long&length=4096&layer=0&head=2';
    });
    await page.waitForSelector('#root[data-tokens="4096"]', { state: 'attached' });
  },
  share: (page) => button(page, 'Share').click(),
  model: (page) => button(page, 'Model').click(),
  'model refused': async (page) => {
    await button(page, 'Model').click();
    await page.getByTestId('own-files').setInputFiles([
      { name: 'config.json', mimeType: 'application/json', buffer: Buffer.from('{"model_type":"mamba"}') },
      { name: 'model.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.alloc(64) },
    ]);
    await page.getByTestId('own-refused').waitFor();
  },
  export: async (page) => {
    await openMatrix(page);
    await button(page, 'Export').click();
    await page.getByTestId('export-menu').waitFor();
  },
};

/** A fresh page in one of these states. */
export async function openState(page, url, name) {
  await openReady(page, url);
  await states[name](page);
}

/** On narrow screens it waits behind a button. */
async function openMatrix(page) {
  const opener = page.getByRole('button', { name: 'Show the matrix' });
  if (await opener.isVisible()) await opener.click();
}
