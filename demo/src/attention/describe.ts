import { isMasked, type MaskSpec } from '../engine/mask';
import type { HeadData, LensSpec, ModelInfo, PassSpec } from '../engine/protocol';
import { isolated } from './tokens';

// What is looked at, in words: for panels and for the titles of saved pictures.

export const placeText = ({ lens, layer, head }: Pick<HeadData, 'lens' | 'layer' | 'head'>) =>
  lens.kind === 'rollout' ? `Rollout up to layer ${layer}` : `Layer ${layer}, head ${head}`;

export function lensText({ kind, weighting, hideSeparators }: LensSpec): string {
  const weights = kind === 'heads' && weighting === 'value' ? 'share of ‖α·v‖' : 'weights';
  return hideSeparators ? `${weights}, renormalised without [CLS] and [SEP]` : weights;
}

export function maskText(mask: MaskSpec, isCausal = false): string {
  const { causal, window, padding, globals, blocks } = mask;
  const parts = [
    (causal || isCausal) && 'causal',
    window !== null && `window ${window}`,
    window !== null && globals.length > 0 && `${globals.length} global`,
    padding > 0 && `${padding} padded`,
    blocks.length > 0 && `${counted(blocks.length, 'block')} painted`,
  ].filter((part) => part !== false);
  return isMasked(mask) || isCausal ? parts.join(', ') : 'no mask';
}

export const modelText = ({ title, weights }: ModelInfo) => (weights === 'none' ? title : `${title}, ${weights}`);

/** What was changed in the model itself; empty where nothing was. */
export function changeText({ ablated, temperature }: PassSpec): string {
  const parts = [
    ablated.length > 0 && `${counted(ablated.length, 'head')} off`,
    temperature !== 1 && `temperature ${temperature}`,
  ];
  return parts.filter((part) => part !== false).join(', ');
}

/** As much of a text as fits a line. */
export function excerpt(text: string, length: number): string {
  const line = text.trim().replace(/\s+/g, ' ');
  const characters = [...line];
  if (characters.length <= length) return isolated(line);
  const start = characters.slice(0, length - 1).join('');
  return isolated(`${start.trimEnd()}…`);
}

export const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
