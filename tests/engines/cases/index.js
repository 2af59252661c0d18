import { attentionCases } from './attention.js';
import { layerCases } from './layers.js';

export const cases = [...attentionCases, ...layerCases];
