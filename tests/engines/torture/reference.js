// Attention as its formula reads, in doubles, or in float32 at each step where `round` is Math.fround; the products of a score are
// added from the first on, or from the last.
export function reference({ q, k, v, options = {}, mask }, round = (x) => x, fromLast = false) {
  const [H, Sq, D] = q.shape;
  const [Hkv, Skv] = k.shape;
  const Dv = v.shape[2];
  const { causal, softcap = 0, scale = 1 / Math.sqrt(D), window = [-1, -1], queryOffset = 0 } = options;
  const length = options.kvLengths?.[0] ?? Skv;
  const attends = (i, j) => {
    const behind = i + queryOffset - j;
    if (j >= length || (causal && behind < 0)) return false;
    return (window[0] === -1 || behind <= window[0]) && (window[1] === -1 || -behind <= window[1]);
  };
  const output = new Float64Array(H * Sq * Dv);
  const weights = new Float64Array(H * Sq * Skv);
  const logSumExp = new Float64Array(H * Sq);
  for (let h = 0; h < H; h++) {
    const kvHead = Math.floor((h * Hkv) / H);
    const sink = options.sinks ? options.sinks.data[h] : -Infinity;
    for (let i = 0; i < Sq; i++) {
      const scores = new Float64Array(Skv).fill(-Infinity);
      const seen = [];
      for (let j = 0; j < Skv; j++) {
        const added = mask ? mask.data[i * Skv + j] : 0;
        if (!attends(i, j) || added === -Infinity) continue;
        let dot = 0;
        for (let n = 0; n < D; n++) {
          const d = fromLast ? D - 1 - n : n;
          dot = round(dot + round(q.data[(h * Sq + i) * D + d] * k.data[(kvHead * Skv + j) * D + d]));
        }
        const score = round(dot * scale);
        const capped = softcap ? round(softcap * round(Math.tanh(round(score / softcap)))) : score;
        // What is added to a score is kept in float32: beside 1e9 it is lost, whoever adds.
        scores[j] = added === 0 ? capped : Math.fround(capped + added);
        seen.push(j);
      }
      const most = seen.reduce((max, j) => Math.max(max, scores[j]), sink);
      let sum = sink === -Infinity ? 0 : round(Math.exp(round(sink - most)));
      const terms = seen.map((j) => round(Math.exp(round(scores[j] - most))));
      for (const term of terms) sum = round(sum + term);
      logSumExp[h * Sq + i] = sum === 0 ? -Infinity : round(most + round(Math.log(sum)));
      seen.forEach((j, n) => {
        const weight = round(terms[n] / sum);
        weights[(h * Sq + i) * Skv + j] = weight;
        for (let d = 0; d < Dv; d++) {
          const at = (h * Sq + i) * Dv + d;
          output[at] = round(output[at] + round(weight * v.data[(kvHead * Skv + j) * Dv + d]));
        }
      });
    }
  }
  return { output, weights, logSumExp };
}
