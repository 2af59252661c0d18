const bytesOf = { F32: 4, F16: 2, I8: 1 };

/** A .safetensors file of the tensors given by name. The widest types come first, so that every tensor is aligned. */
export function writeSafetensors(tensors) {
  const sorted = Object.entries(tensors).sort(([, a], [, b]) => bytesOf[b.dtype] - bytesOf[a.dtype]);
  const header = {};
  let end = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    header[name] = { dtype, shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8)); // names are ASCII
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const parts = sorted.map(([, { data }]) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return Buffer.concat([length, padded, ...parts]);
}
