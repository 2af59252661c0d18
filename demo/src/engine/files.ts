/** The files of a checkpoint among those that were dropped or chosen. */
export interface Chosen<T> {
  config: T | null;
  weights: T | null;
  tokenizer: T | null;
}

export const noFiles = { config: null, weights: null, tokenizer: null };

const isConfig = (name: string) =>
  name.endsWith('config.json') && !/(tokenizer|generation|processor)_config\.json$/.test(name);

/** By their names; new ones take the place of those before. Null where the weights are split into several files. */
export function chosenAmong<T extends { name: string }>(files: readonly T[], before: Chosen<T>): Chosen<T> | null {
  const named = (is: (name: string) => boolean) => files.filter(({ name }) => is(name.toLowerCase()));
  const weights = named((name) => name.endsWith('.safetensors'));
  if (weights.length > 1) return null;
  return {
    config: named(isConfig)[0] ?? before.config,
    weights: weights[0] ?? before.weights,
    tokenizer: named((name) => name.endsWith('tokenizer.json'))[0] ?? before.tokenizer,
  };
}

/** What is still to come; empty where nothing is. */
export function missingOf({ config, weights }: Chosen<unknown>): string {
  return [!config && 'config.json', !weights && 'model.safetensors'].filter(Boolean).join(' and ');
}
