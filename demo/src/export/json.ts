import { type Rows, rounded } from './numbers';

/** One object with `facts`, the tokens, and `rows`: of each token its weights, a line each. Comes a row at a time. */
export function* jsonLines(facts: Record<string, unknown>, { tokens, row }: Rows): Generator<string> {
  yield `${JSON.stringify({ ...facts, tokens }).slice(0, -1)},"rows":[`;
  for (let i = 0; i < tokens.length; i++) {
    yield `${i > 0 ? ',' : ''}\n${JSON.stringify(Array.from(row(i), rounded))}`;
  }
  yield '\n]}\n';
}
