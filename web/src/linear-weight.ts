import type { Core } from './attention-module.js';
import { dtypeCodes, type Engine } from './engine.js';
import { AttentionError } from './errors.js';
import { bytesPerElement, type Operand } from './operand.js';
import { ruleSlots } from './rules.js';
import { PackedWeight, panelsOf, ResidentTensor } from './tensor.js';
import type { LinearWeight } from './types.js';

/** Memory for a weight [out,in], to be filled by pack(). */
export function emptyWeight(engine: Engine, shape: readonly number[], dtype: LinearWeight['dtype']): PackedWeight {
  if (shape.length !== 2) throw new AttentionError('SHAPE_MISMATCH', 'weight', `got shape [${shape}], wanted [out,in]`);
  const [outputs, inputs] = shape as [number, number];
  const floats = engine.core.panelFloats(outputs, inputs, dtypeCodes[panelsOf[dtype]]);
  const isTooLarge = floats === 0 && outputs * inputs !== 0;
  const address = engine.allocate('weight', isTooLarge ? Infinity : floats * bytesPerElement.float32);
  return new PackedWeight(new ResidentTensor(engine, address, [floats], 'float32'), shape, dtype);
}

/** Fills a weight, a part of its rows at a time. */
export function* pack(engine: Engine, from: Operand, { panels, dtype }: PackedWeight): Generator<void> {
  const [outputs, inputs] = from.shape as [number, number];
  const rules = Array.from({ length: ruleSlots }, () => undefined);
  for (const [first, rows] of partsOf(from)) {
    const run = (core: Core) => core.packPanels(outputs, inputs, dtypeCodes[panelsOf[dtype]], first);
    engine.call({ operands: [...rules, rows], out: panels, run }, () => {});
    yield;
  }
}

/** Values of a weight that are copied in at one time, so that packing a large one takes little beside it. */
const partSize = 2 ** 20;
/** A multiple of kPackedRows of cpp/include/attention/layers.hpp. */
const packedRows = 64;

/** A matrix as parts of some rows, each with the number of its first; in one part where it is there already. */
function* partsOf(weight: Operand): Generator<[first: number, rows: Operand]> {
  const [outputs, inputs] = weight.shape as [number, number];
  const most = Math.max(1, Math.floor(partSize / (packedRows * Math.max(1, inputs)))) * packedRows;
  const { values } = weight;
  if (values instanceof ResidentTensor || outputs <= most) return yield [0, weight];
  for (let first = 0; first < outputs; first += most) {
    const count = Math.min(most, outputs - first);
    const part = values.subarray(first * inputs, (first + count) * inputs);
    yield [first, { ...weight, shape: [count, inputs], values: part }];
  }
}
