// What tests look for on the page, by the names that people and assistive technology know.

export const field = (page) => page.getByRole('textbox', { name: 'Text', exact: true });
export const tokens = (page) => page.getByRole('toolbar', { name: 'Tokens' }).locator('.token');
export const token = (page, index) => page.locator(`[data-testid="tokens"] [data-index="${index}"]`);
export const matrix = (page) => page.getByTestId('matrix');
export const tab = (page, name) => page.getByRole('tab', { name, exact: true });
export const head = (page, layer, index) => page.getByRole('radio', { name: `Layer ${layer}, head ${index}` });

/** "it → animal, 0.69, rank 1", and the whole number. */
export const lockedPair = (page) =>
  page.getByTestId('locked-pair').evaluate(({ textContent, dataset }) => ({ text: textContent, value: dataset.value }));

export const lockedTokens = (page) =>
  page.$$eval('[data-testid="tokens"] [aria-pressed="true"]', (found) => found.map((one) => Number(one.dataset.index)));

/** Of the page's root: which text, of how many tokens, which head. */
export const shownState = (page) => page.$eval('#root', ({ dataset }) => ({ ...dataset }));

/** The tokens of the text, as they stand. */
export const tokenNames = (page) => tokens(page).evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));

/** Every weight of the table, as the page computed it. */
export const tableValues = (page) =>
  page.$$eval('[data-testid="matrix-table"] tbody tr', (rows) =>
    rows.map((row) => [...row.querySelectorAll('td')].map((cell) => Number(cell.dataset.value))),
  );

/** Where cell (row, column) of so many is on screen, when all are in sight. */
export async function cellPoint(page, row, column, length) {
  const { x, y, width, height } = await page.locator('[data-testid="matrix"] canvas').boundingBox();
  return [x + ((column + 0.5) * width) / length, y + ((row + 0.5) * height) / length];
}
