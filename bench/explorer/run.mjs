// How quick the built explorer is, as a Markdown table: npm run bench:explorer [-- section …]. Nothing is asserted.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, main } from '../../scripts/lib/run.mjs';
import { isolation, serve } from '../../scripts/lib/serve.mjs';
import { root } from '../../tests/explorer/site.mjs';
import { describeMachine } from '../machine.mjs';
import { long } from './long.mjs';
import { speed } from './machine.mjs';
import { memory } from './memory.mjs';
import { opening } from './opening.mjs';
import { longer, others, typing } from './typing.mjs';

const sections = { opening, typing, longer, long, memory, others };

await main(import.meta.url, async () => {
  if (!existsSync(join(root, 'index.html'))) throw new Failure(`${root} is not built. Run: npm run demo:build`);
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(sections);
  const unknown = wanted.find((name) => !(name in sections));
  if (unknown) throw new Failure(`No section is called '${unknown}'. Sections: ${Object.keys(sections).join(', ')}.`);
  const plain = await serve({ root });
  const isolated = await serve({ root, headers: isolation });
  const site = { plain: plain.url, isolated: isolated.url, weightBytes: weightBytes() };
  try {
    const { processor, cores } = describeMachine();
    console.log(`${processor}, ${cores} cores; ${await speed()}\n\n| what | measured | target |\n|---|---|---|`);
    for (const name of wanted) for (const row of await sections[name](site)) print(row);
    console.log(`\nAfterwards: ${await speed()}`);
  } finally {
    await Promise.all([plain.close(), isolated.close()]);
  }
});

function print({ what, value, unit, most }) {
  const shown = Number.isFinite(value) ? value.toFixed(value < 100 && !Number.isInteger(value) ? 1 : 0) : 'none';
  const target = most === undefined ? '' : `≤ ${most} ${unit}, ${value <= most ? 'met' : 'missed'}`;
  console.log(`| ${what} | ${shown} ${unit} | ${target} |`);
}

function weightBytes() {
  const assets = join(root, 'assets');
  const file = readdirSync(assets).find((name) => name.includes('int8') && name.endsWith('.safetensors'));
  return statSync(join(assets, file)).size;
}
