// Every section in turn: measures, prints, and writes what it found.
import { Failure, main } from '../scripts/lib/run.mjs';
import { describeMachine } from './machine.mjs';
import { printTable } from './print.mjs';
import { writeResults } from './results.mjs';
import { sections } from './sections/index.mjs';
import { effort } from './statistics.mjs';
import { judged, targetColumns } from './targets.mjs';

/** `only`: names of sections; `out`: a folder for the results. */
async function measure({ quick = false, only, out }) {
  const names = sections.map(({ name }) => name);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown) throw new Failure(`No section is called '${unknown}'. Sections: ${names.join(', ')}.`);
  const machine = describeMachine();
  console.log(`Node ${machine.node}, V8 ${machine.v8}, ${machine.cores} × ${machine.processor}; float32 unless said.`);
  console.log('Medians of turns taken one after the other (a b a b …), with the middle half in brackets.\n');
  const results = {};
  const tables = [];
  const show = (table) => {
    tables.push(table);
    printTable(table);
  };
  for (const { name, title, columns, rows } of sections.filter((section) => !only || only.includes(section.name))) {
    results[name] = await rows({ quick, effort: quick ? effort.quick : effort.full });
    show({ title, columns, rows: results[name] });
  }
  const reached = judged(results, only);
  if (reached.length > 0) show({ title: 'To reach', columns: targetColumns, rows: reached });
  console.log(leftOut);
  if (out) await writeResults(out, 'node', { machine, results, tables });
}

const leftOut = `
Left out: WebGPU and other GPU backends; batches above 1; peers where one call would take more than 2 s; jax-js below
Node.js 22, which it needs; decoding with peers, which copy the whole cache in on each call. Copies in and out are part
of the peers' times as they are of ours.`;

await main(import.meta.url, () => measure(JSON.parse(process.argv[2])));
