import { expect, test } from 'vitest';
import { chosenAmong, missingOf, noFiles } from './files';

const named = (...names: string[]) => names.map((name) => ({ name }));

test('files are told apart by their names', () => {
  const [generation, config, tokenizerConfig, tokenizer, weights, readme] = named(
    'generation_config.json',
    'config.json',
    'tokenizer_config.json',
    'tokenizer.json',
    'model.safetensors',
    'README.md',
  );
  const files = [generation, config, tokenizerConfig, tokenizer, weights, readme];
  expect(chosenAmong(files, noFiles)).toEqual({ config, weights, tokenizer });
  expect(chosenAmong(files.reverse(), noFiles)).toEqual({ config, weights, tokenizer });
});

test('files may come one after the other, and a newer one counts', () => {
  const [config, weights, newer] = named('tiny-config.json', 'Tiny.SAFETENSORS', 'config.json');
  const first = chosenAmong([config], noFiles);
  expect(first && missingOf(first)).toBe('model.safetensors');
  const both = first && chosenAmong([weights], first);
  expect(both).toEqual({ config, weights, tokenizer: null });
  expect(both && missingOf(both)).toBe('');
  expect(both && chosenAmong([newer], both)?.config).toBe(newer);
});

test('says what is missing', () => {
  expect(missingOf(noFiles)).toBe('config.json and model.safetensors');
});

test('weights in several files are not taken', () => {
  expect(
    chosenAmong(named('model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'), noFiles),
  ).toBeNull();
});
