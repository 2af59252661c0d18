import type { Pair } from '../attention/pairs';
import { type Block, type MaskSpec, noMask } from '../engine/mask';
import type { LensSpec, ModelName, PassSpec, Place } from '../engine/protocol';
import { type Panel, panels } from '../state/panel';

/** What of the page's state stands in an address; what is left out stays as it is. */
export interface Shared {
  text: string;
  model: Exclude<ModelName, 'own'>;
  length: number;
  mask: MaskSpec;
  ablated: PassSpec['ablated'];
  temperature: number;
  lens: LensSpec;
  place: Place;
  locked: readonly Pair[];
  panel: Panel;
  lesson: string;
}

const models = ['int8', 'float16', 'no-positions', 'long'] as const;
const longestText = 40_000;
const largestIndex = 16_384;
const mostItems = 256;

/** After the #: readable, in the order of the page; the usual values are left out. */
export function toHash({
  text,
  model,
  length,
  mask,
  ablated,
  temperature,
  lens,
  place,
  ...rest
}: Partial<Shared>): string {
  const fields: [string, string | false | undefined][] = [
    ['text', text],
    ['model', model !== 'int8' && model],
    ['length', model === 'long' && length !== undefined && String(length)],
    ['layer', place && String(place.layer)],
    ['head', place && String(place.head)],
    [
      'pairs',
      rest.locked && rest.locked.length > 0 && rest.locked.map(({ query, key }) => `${query}-${key}`).join(' '),
    ],
    ['show', lens && (lens.kind === 'rollout' ? 'rollout' : lens.weighting === 'value' && 'value')],
    ['hide', lens?.hideSeparators && 'separators'],
    ['mask', mask && maskText(mask)],
    ['off', ablated && ablated.length > 0 && ablated.map((one) => one.join('.')).join(' ')],
    ['temperature', temperature !== undefined && temperature !== 1 && String(temperature)],
    ['panel', rest.panel !== 'explore' && rest.panel],
    ['lesson', rest.panel === 'learn' && rest.lesson],
  ];
  const given = fields.filter((field): field is [string, string] => typeof field[1] === 'string');
  return new URLSearchParams(given).toString();
}

/** Whatever of an address can be understood; anyone may have written it. */
export function fromHash(hash: string): Partial<Shared> {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const shared: Partial<Shared> = {};
  const text = fields.get('text');
  if (text !== null) shared.text = text.slice(0, longestText);
  shared.model = oneOf(models, fields.get('model')) ?? 'int8';
  shared.length = integer(fields.get('length'), 16, largestIndex);
  const [layer, head] = [integer(fields.get('layer')), integer(fields.get('head'))];
  if (layer !== undefined && head !== undefined) shared.place = { layer, head };
  if (fields.has('pairs')) {
    const pairs = list(fields.get('pairs')).map((item) => indices(item, '-', 2));
    shared.locked = pairs.flatMap((pair) => (pair ? [{ query: pair[0], key: pair[1] }] : []));
  }
  const show = fields.get('show');
  shared.lens = {
    kind: show === 'rollout' ? 'rollout' : 'heads',
    weighting: show === 'value' ? 'value' : 'attention',
    hideSeparators: fields.get('hide') === 'separators',
  };
  shared.mask = maskOf(fields.get('mask'));
  const off = list(fields.get('off')).map((item) => indices(item, '.', 2));
  shared.ablated = off.flatMap((one) => (one ? [[one[0], one[1]] as const] : []));
  const temperature = Number(fields.get('temperature') ?? 1);
  shared.temperature = temperature >= 0.05 && temperature <= 20 ? temperature : 1;
  shared.panel = oneOf(panels, fields.get('panel')) ?? 'explore';
  const lesson = fields.get('lesson');
  if (lesson !== null && /^[a-z-]{1,40}$/.test(lesson)) shared.lesson = lesson;
  return withoutUndefined(shared);
}

/** "causal window.4 padding.1 global.0 block.0.3.2.5" */
function maskText({ causal, window, padding, globals, blocks }: MaskSpec): string | false {
  const items = [
    ...(causal ? ['causal'] : []),
    ...(window === null ? [] : [`window.${window}`]),
    ...(padding > 0 ? [`padding.${padding}`] : []),
    ...globals.map((token) => `global.${token}`),
    ...blocks.map(({ rows, columns }) => `block.${[...rows, ...columns].join('.')}`),
  ];
  return items.length > 0 && items.join(' ');
}

function maskOf(text: string | null): MaskSpec {
  const globals: number[] = [];
  const blocks: Block[] = [];
  let mask = noMask;
  for (const item of list(text)) {
    const [name, ...rest] = item.split('.');
    const numbers = indices(rest.join('.'), '.', name === 'block' ? 4 : 1);
    if (item === 'causal') mask = { ...mask, causal: true };
    if (!numbers) continue;
    const [first, second, third, fourth] = numbers;
    if (name === 'window') mask = { ...mask, window: first };
    if (name === 'padding') mask = { ...mask, padding: first };
    if (name === 'global') globals.push(first);
    if (name === 'block' && second > first && fourth > third)
      blocks.push({ rows: [first, second], columns: [third, fourth] });
  }
  return { ...mask, globals, blocks };
}

const list = (text: string | null) => (text ?? '').split(' ').filter(Boolean).slice(0, mostItems);

function indices(text: string, separator: string, count: number): number[] | null {
  const numbers = text.split(separator).map((part) => integer(part));
  return numbers.length === count && numbers.every((number) => number !== undefined) ? (numbers as number[]) : null;
}

function integer(text: string | null, least = 0, most = largestIndex): number | undefined {
  if (text === null || !/^\d{1,6}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= least && number <= most ? number : undefined;
}

const oneOf = <T extends string>(values: readonly T[], text: string | null): T | undefined =>
  values.find((value) => value === text);

function withoutUndefined(shared: Partial<Shared>): Partial<Shared> {
  return Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== undefined));
}
