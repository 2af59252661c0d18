/** The [size, size] matrix at no more than `limit` cells a side: the largest weight of each block, so that a lone strong cell stays visible. */
export function poolMax(matrix: Float32Array, size: number, limit: number): { cells: Float32Array; side: number } {
  if (size <= limit) return { cells: matrix, side: size };
  const cells = new Float32Array(limit * limit);
  for (let query = 0; query < size; query++) {
    const row = Math.floor((query * limit) / size) * limit;
    for (let key = 0; key < size; key++) {
      const cell = row + Math.floor((key * limit) / size);
      cells[cell] = Math.max(cells[cell], matrix[query * size + key]);
    }
  }
  return { cells, side: limit };
}
