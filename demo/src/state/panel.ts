import { signal } from '@preact/signals';

export const panels = ['explore', 'masks', 'compare', 'learn', 'speed'] as const;
export type Panel = (typeof panels)[number];

/** What stands beside the text and its heads, which stay in sight whichever it is. */
export const panel = signal<Panel>('explore');
