import { wrapper } from './mutation.mjs';

/** Of models and generation. */
export function inModels() {
  const changes = ['model-changes.test.ts'];
  const files = (family) => [`model-${family}.test.ts`];
  return [
    wrapper('models/stack.ts', changes, 'model: temperature ignored', ' * temperature),', '),'),
    wrapper(
      'models/stack.ts',
      changes,
      'model: another head is ablated',
      'let at = head * headDim;',
      'let at = 0 * head;',
    ),
    wrapper(
      'models/stack.ts',
      files('gpt2'),
      'model: the final norm is left out',
      'if (stack.finalNorm) run',
      'if (stack.finalNorm && !stack.causal) run',
    ),
    wrapper(
      'models/layer-options.ts',
      changes,
      'model: the first layer’s mask is for all',
      'one === null || one === undefined ? undefined : asGiven(one)',
      'one === null || one === undefined ? undefined : asGiven(mask[0] ?? one)',
    ),
    wrapper(
      'models/embedding.ts',
      ['model-options.test.ts'],
      'model: padding counts as a position',
      'if (attends === 0) return',
      'if (attends < 0) return',
    ),
    wrapper(
      'models/cache.ts',
      ['model-cache-errors.test.ts', 'generate-cache.test.ts'],
      'model: a failed call changes a cache',
      'const next = this.fork();',
      'const next = this as LayerCaches;',
    ),
    wrapper('models/sampling.ts', ['sampling.test.ts'], 'generate: topK ignored', 'ids.subarray(0, topK)', 'ids'),
    wrapper(
      'models/sampling.ts',
      ['sampling.test.ts'],
      'generate: the seed ignored',
      'const key = mix(seed);',
      'const key = mix(0 * seed);',
    ),
    wrapper(
      'models/generate.ts',
      ['generate.test.ts'],
      'generate: the stop id is given too',
      'if (stop.has(id)) break;\n    ids.push(id);',
      'ids.push(id);\n    if (stop.has(id)) break;',
    ),
    wrapper(
      'models/weights.ts',
      files('gpt2'),
      'model: Conv1D is not turned',
      'weight.data[k * outputs + n]',
      'weight.data[n * inputs + k]',
    ),
    wrapper(
      'models/marian.ts',
      files('marian'),
      'model: sines and cosines in turns',
      '(column % 2 === 0 ? 0 : half) + Math.floor(column / 2)',
      'column',
    ),
    wrapper(
      'models/llama.ts',
      files('llama'),
      'model: biases of attention left out',
      "config.flag('attention_bias', false)",
      "config.flag('attention_bias', false) && false",
    ),
    wrapper(
      'models/config.ts',
      ['model-llama.test.ts'],
      'model: unknown keys of a config accepted',
      "throw new AttentionError('INVALID_ARGUMENT', name(key), 'is an option that this version does not know');",
      'continue;',
    ),
  ];
}
