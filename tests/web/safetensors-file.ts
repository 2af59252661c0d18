/** Writes files for the reader under test: 8 bytes of header length, the header as JSON, the tensors' bytes end to end. */
export interface Entry {
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
}

export const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

export function safetensors(
  tensors: Record<string, Entry>,
  metadata?: Record<string, string>,
  padding = '',
): Uint8Array<ArrayBuffer> {
  let end = 0;
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  return file(JSON.stringify(header) + padding, ...Object.values(tensors).map((tensor) => tensor.bytes));
}

/** Any header over any bytes, so also wrong ones; `claimed` replaces the header's true length. */
export function file(
  header: string | Uint8Array,
  ...parts: (Uint8Array | { claimed: bigint })[]
): Uint8Array<ArrayBuffer> {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const claimed = parts.find((part): part is { claimed: bigint } => 'claimed' in part);
  const data = parts.filter((part): part is Uint8Array => part instanceof Uint8Array);
  const bytes = new Uint8Array(8 + text.length + data.reduce((sum, part) => sum + part.length, 0));
  new DataView(bytes.buffer).setBigUint64(0, claimed?.claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const part of data) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
