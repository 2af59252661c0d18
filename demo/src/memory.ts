interface Measuring {
  measureUserAgentSpecificMemory?(): Promise<{ bytes: number }>;
}

/** Of the page and its workers, in bytes; null where the browser does not tell, as outside of cross-origin isolation. */
export async function pageMemory(): Promise<number | null> {
  const { measureUserAgentSpecificMemory } = performance as Measuring;
  try {
    return (await measureUserAgentSpecificMemory?.call(performance))?.bytes ?? null;
  } catch {
    return null;
  }
}
