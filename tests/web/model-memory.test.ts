import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { describe, expect, test } from 'vitest';
import { decoders } from './families.ts';
import { refusedModel, rejection } from './refusals.ts';
import * as ofMarian from './synthetic-marian.ts';
import * as ofVit from './synthetic-vit.ts';
import { forEachVariant } from './variants.ts';

const ids = [3, 0, 28, 7, 14];
const source = [3, 7, 0];
const target = [ofMarian.start, 5];
const families = [
  ...decoders.map(({ name, config, tensors }) => ({
    name,
    config,
    tensors,
    last: name === 'GPT-2' ? 'ln_f.bias' : 'lm_head.weight',
    use: async (model: Model) => {
      await model.forward(ids, { attention: true, projections: true, hiddenStates: true, logits: 'all' });
      await model.embed(ids);
      await model.generate(ids, { maxNewTokens: 3, stop: [], temperature: 1, topK: 4, topP: 0.9 });
    },
    giveUp: async (model: Model) => {
      const cache = model.createCache();
      await model.forward(ids, { cache });
      const controller = new AbortController();
      const onLayer = () => controller.abort();
      await rejection(model.forward(ids, { cache, onLayer, signal: controller.signal, attention: true }));
      const options = { maxNewTokens: 3, stop: [], cache, onToken: () => controller.abort() };
      await rejection(model.generate(ids, { ...options, signal: controller.signal }));
      cache.dispose();
    },
  })),
  {
    name: 'ViT',
    config: ofVit.config,
    tensors: ofVit.weights(),
    last: 'classifier.bias',
    use: (model: Model) => model.forward(ofVit.picture(1), { attention: true }),
    giveUp: async (model: Model) => {
      const controller = new AbortController();
      const onLayer = () => controller.abort();
      await rejection(model.forward(ofVit.picture(1), { onLayer, signal: controller.signal }));
    },
  },
  {
    name: 'Marian',
    config: ofMarian.config,
    tensors: ofMarian.weights(),
    last: 'final_logits_bias',
    use: async (model: Model) => {
      await model.forward(source, { decoderIds: target, attention: true });
      await model.generate(source, { maxNewTokens: 3 });
    },
    giveUp: async (model: Model) => {
      const controller = new AbortController();
      const onLayer = (layer: number) => {
        if (layer === 3) controller.abort();
      };
      await rejection(model.forward(source, { decoderIds: target, onLayer, signal: controller.signal }));
      const onToken = () => {
        throw new Error('enough');
      };
      await model.generate(source, { maxNewTokens: 3, stop: [], onToken }).catch(() => {});
    },
  },
];

forEachVariant('memory of models', (engine: () => Attention) => {
  describe.each(families)('$name', ({ config, tensors, last, use, giveUp }) => {
    async function staysAfter(once: () => unknown, times: number) {
      for (let n = 0; n < 3; n++) await once();
      const bytes = engine().info.memoryBytes;
      for (let n = 0; n < times; n++) await once();
      expect(engine().info.memoryBytes).toBe(bytes);
    }
    test.each(['float32', 'int8'] as const)('of %s weights comes back with the model', async (weights) => {
      // Three hundred of any matrix left behind would be more than a page of 64 KiB.
      await staysAfter(() => createModel(engine(), { config, tensors }, { weights }).dispose(), 300);
    });
    test('comes back from a checkpoint that lacks its last tensor', async () => {
      const { [last]: _, ...rest } = tensors as Record<string, unknown>;
      await staysAfter(() => refusedModel(engine(), { config, tensors: rest }), 100);
    });
    test('comes back from calls, finished or given up', async () => {
      const model = createModel(engine(), { config, tensors });
      await staysAfter(() => use(model), 100);
      await staysAfter(() => giveUp(model), 100);
      model.dispose();
    });
  });
});
