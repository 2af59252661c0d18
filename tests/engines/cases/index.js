import { attentionCases } from './attention.js';
import { cacheCases } from './caches.js';
import { layerCases } from './layers.js';

export const cases = [...attentionCases, ...cacheCases, ...layerCases];
