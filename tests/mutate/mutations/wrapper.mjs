import { wrapper } from './mutation.mjs';

/** Of arguments, options and mask rules. */
export function inTheWrapper() {
  const options = ['attention-options.test.ts'];
  const maskRules = ['masks-rules.test.ts'];
  const rulesInCalls = ['masks-attention.test.ts'];
  const maps = ['attention-map.test.ts'];
  const layer = ['multi-head.test.ts'];
  const errors = ['errors.test.ts'];
  return [
    wrapper(
      'rules.ts',
      options,
      'window: left and right swapped',
      '      left,\n      right,\n',
      '      right,\n      left,\n',
    ),
    wrapper(
      'rules.ts',
      options,
      "causal: 'upper-left' and 'lower-right' swapped",
      "true, 'upper-left', 'lower-right']",
      "true, 'lower-right', 'upper-left']",
    ),
    wrapper(
      'load/create.ts',
      ['loading-damaged.test.ts'],
      'loading: a damaged module throws what it likes',
      "throw loadFailed('could not use the module', cause);",
      'throw cause;',
    ),
    wrapper('rules.ts', options, 'alibi: true ignored', 'alibi === true ? 1 : 0', '0'),
    wrapper('rules.ts', options, 'softcap dropped', '      softcapOf(options.softcap),\n', '      0,\n'),
    wrapper('rules.ts', options, 'sinks dropped', "operand('options.sinks', sinks)", 'undefined'),
    wrapper(
      'rules.ts',
      ['attention-masks.test.ts'],
      "mask and attentionMask in each other's place",
      `      mask === undefined || isMask(mask) ? undefined : maskOperand(mask),
      ifGiven(options.attentionMask, (given) => operand('options.attentionMask', given)),
`,
      `      ifGiven(options.attentionMask, (given) => operand('options.attentionMask', given)),
      mask === undefined || isMask(mask) ? undefined : maskOperand(mask),
`,
    ),
    wrapper(
      'rules.ts',
      ['attention-shapes.test.ts'],
      'numKvHeads dropped',
      "numKvHeads: optionalCount('options.numKvHeads', options.numKvHeads)",
      'numKvHeads: 0',
    ),
    wrapper(
      'rules.ts',
      ['attention-float64-masks.test.ts'],
      'a float64 mask below the smallest float32 masks',
      'Math.min(Math.max(value, -largest), largest)',
      'value',
    ),
    wrapper(
      'arguments.ts',
      errors,
      'unknown option keys accepted',
      'if (!known.includes(key)) {',
      'if (!known.includes(key)) {\n      continue;',
    ),
    wrapper('call-shape.ts', rulesInCalls, 'queryOffset ignored by mask rules', '?? shared ?? standard', '?? standard'),
    wrapper(
      'call-shape.ts',
      rulesInCalls,
      'mask rules stand at the queryOffset of batch entry 0',
      'offsets?.[b] ??',
      'offsets?.[0] ??',
    ),
    wrapper(
      'call-shape.ts',
      rulesInCalls,
      "mask rules beside 'lower-right' without kvLengths",
      '(lengths?.[b] ?? keys) - queries',
      'keys - queries',
    ),
    wrapper(
      'call-shape.ts',
      ['variable-length.test.ts'],
      'mask rules of packed sequences counted from the first key of all',
      'keys: (keyStarts[b + 1] as number) - (keyStarts[b] as number),',
      'keys: keyStarts[b + 1] as number,',
    ),
    wrapper('attend.ts', options, 'logSumExp given back in place of weights', 'results.copy(1)', 'results.copy(2)'),
    wrapper('masks/mask.ts', maskRules, 'not() gives the mask itself', 'complement(this.#rule)', 'this.#rule'),
    wrapper('masks/mask.ts', maskRules, 'and() is or()', 'intersection(this.#rule,', 'union(this.#rule,'),
    wrapper('masks/combine.ts', maskRules, 'or(): one empty rule decides', "decisive: 'full'", "decisive: 'empty'"),
    wrapper(
      'masks/intervals.ts',
      maskRules,
      'slidingWindow: right edge off by one',
      '=> query + right + 1',
      '=> query + right',
    ),
    wrapper(
      'masks/intervals.ts',
      maskRules,
      'prefixLM: the shorter of both',
      'Math.max(prefix, query + 1)',
      'Math.min(prefix, query + 1)',
    ),
    wrapper('masks/dense.ts', maskRules, 'dense goes by positions', 'query - extent.offset', 'query'),
    wrapper(
      'masks/documents.ts',
      maskRules,
      'documents see the documents before them',
      'ids[key] === id',
      '(ids[key] as number) <= (id as number)',
    ),
    wrapper(
      'masks/from-function.ts',
      maskRules,
      'fromFunction: head 0 asked for every head',
      'const h = perHead ? head : 0;',
      'const h = 0;',
    ),
    wrapper(
      'map-options.ts',
      maps,
      'attentionMap: rows and columns of size swapped',
      "pair('options.size', size, 1)",
      "pair('options.size', size, 1).reverse()",
    ),
    wrapper(
      'map-options.ts',
      maps,
      'attentionMap: max and mean swapped',
      "['max', 'mean'] as const",
      "['mean', 'max'] as const",
    ),
    wrapper('multi-head.ts', layer, 'averageWeights adds up', 'sum / heads', 'sum'),
    wrapper(
      'multi-head.ts',
      layer,
      'value defaults to the query',
      'value === undefined ? keys :',
      'value === undefined ? x :',
    ),
    wrapper(
      'state-dict.ts',
      layer,
      'in_proj: key and value in each other’s place',
      'const [q, k, v] = projections();',
      'const [q, v, k] = projections();',
    ),
  ];
}
