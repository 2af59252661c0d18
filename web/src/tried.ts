/** What a function gives; undefined where it throws, as hosts do for what they lack or forbid. */
export function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
