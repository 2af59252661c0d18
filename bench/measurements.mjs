import { attentionRows } from './attention.mjs';
import { callRows } from './calls.mjs';
import { forwardRows } from './forward.mjs';
import { sizeRows } from './sizes.mjs';

const quick = process.argv.includes('--quick');

console.log(`Node ${process.versions.node}, V8 ${process.versions.v8}, one thread, float32\n`);
await print(
  'Fused attention, 12 heads of 64, copies in and out included, beside onnxruntime-web 1.30',
  attentionRows({ quick }),
);
await print('all-MiniLM-L6-v2, forward', forwardRows({ quick }));
await print('A small call: 8 tokens, 1 head of 16', callRows());
await print('Size of the modules', sizeRows());

async function print(title, rows) {
  console.log(title);
  console.table(await rows);
}
