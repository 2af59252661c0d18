import { attention } from './attention.mjs';
import { smallCalls } from './calls.mjs';
import { composed } from './composed.mjs';
import { decode } from './decode.mjs';
import { files } from './files.mjs';
import { generate } from './generate.mjs';
import { grouped } from './grouped.mjs';
import { layers } from './layers.mjs';
import { limit } from './limit.mjs';
import { load } from './load.mjs';
import { memory } from './memory.mjs';
import { model } from './model.mjs';
import { sizes } from './sizes.mjs';
import { density, growth } from './sparsity.mjs';
import { threads } from './threads.mjs';

/** In the order they are measured and printed. */
export const sections = [
  limit,
  attention,
  grouped,
  growth,
  density,
  decode,
  layers,
  composed,
  model,
  generate,
  smallCalls,
  threads,
  memory,
  load,
  files,
  sizes,
];
