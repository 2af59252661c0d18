/**
 * Lets other tasks of the event loop run, messages of other threads among them. By a message port: timers are clamped to
 * milliseconds in pages. Deno takes messages of its own thread first, and those of others with its timers.
 */
export function nextTurn(): Promise<void> {
  if ('Deno' in globalThis) return new Promise((resolve) => setTimeout(resolve, 0));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
