// A transformer layer made of single functions: what copies of results cost, and what a scope leaves of that.
import { randomArray } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { interleave, summary, timesFaster } from '../statistics.mjs';

const [width, inner, numHeads] = [384, 1536, 12];

export const composed = {
  name: 'composed',
  title: 'A layer of all-MiniLM-L6-v2 composed by hand, packed weights',
  columns: {
    tokens: 'tokens',
    variant: 'variant',
    outs: 'ms, out everywhere',
    scope: 'ms, in a scope',
    copies: 'ms, copies',
    scopeTakes: 'scope ÷ out',
    copiesTake: 'copies ÷ out',
  },
  rows: ({ effort }) =>
    withEngines(async (engines) => {
      const rows = [];
      for (const tokens of [16, 128, 512])
        for (const variant of variants)
          rows.push({ tokens, variant, ...(await measure(engines[variant], tokens, effort)) });
      return rows;
    }),
};

async function measure(engine, tokens, effort) {
  const tensor = (...shape) => engine.tensor({ data: randomArray(shape.reduce((a, b) => a * b)), shape });
  const weight = (...shape) => engine.linearWeight({ data: randomArray(shape[0] * shape[1]), shape });
  const [x, scale, shift] = [tensor(tokens, width), tensor(width), tensor(width)];
  const [query, key, value, output] = [1, 2, 3, 4].map(() => weight(width, width));
  const network = { up: weight(inner, width), down: weight(width, inner) };
  /** The layer over some functions; `into`: where each result goes, or nothing. */
  const layer = (on, into = () => undefined) => {
    const options = (name) => (into(name) ? { out: into(name) } : undefined);
    const [q, k, v] = Object.entries({ query, key, value }).map(([name, by]) => on.linear(x, by, null, options(name)));
    const attended = on.scaledDotProductAttention(q, k, v, { numHeads, ...options('attended') }).output;
    const projected = on.linear(attended, output, null, options('projected'));
    const h = on.layerNorm(on.add(x, projected, options('sum')), scale, shift, options('h'));
    const f = on.feedForward(h, network, { activation: 'gelu', ...options('f') });
    return on.layerNorm(on.add(h, f, options('sum')), scale, shift, options('last'));
  };
  const rooms = new Map();
  const room = (name) => {
    if (!rooms.has(name)) rooms.set(name, engine.zeros([tokens, width]));
    return rooms.get(name);
  };
  const times = await interleave(
    {
      outs: () => layer(engine, room).data.slice(),
      scope: () => engine.scope((on) => layer(on)),
      copies: () => layer(engine),
    },
    effort,
  );
  for (const one of [x, scale, shift, query, key, value, output, ...Object.values(network), ...rooms.values()])
    one.dispose();
  return {
    ...Object.fromEntries(Object.entries(times).map(([name, all]) => [name, summary(all)])),
    scopeTakes: timesFaster(times.outs, times.scope),
    copiesTake: timesFaster(times.outs, times.copies),
  };
}
