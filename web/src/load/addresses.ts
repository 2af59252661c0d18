import { invalid } from '../errors.js';
import { isUrl } from '../realms.js';
import { tried } from '../tried.js';
import { loadFailed } from './failed.js';

/**
 * The address of a file of the package, made by `beside` from import.meta.url: scripts that are bundled into one
 * (CommonJS, IIFE) have none, and nothing lies beside a blob: or data: address.
 */
export function ownAddress(beside: () => URL, option: string): URL {
  try {
    return beside();
  } catch (cause) {
    throw loadFailed('could not find the files of the package', cause, `this script needs options.${option}`);
  }
}

/** options.threadScript in full, as import() and workers need it. */
export function scriptAddress(script: unknown): string | undefined {
  if (script === undefined) return undefined;
  if (typeof script === 'string' || isUrl(script)) return absolute(script);
  throw invalid('options.threadScript', script, 'an address');
}

/** An address in full, by that of the page. What is none stays as it is: whoever asks for it says so. */
export function absolute(address: string | URL): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  return tried(() => new URL(address, base).href) ?? String(address);
}
