/** Node.js keeps a process alive for a port that listens; nobody waits between turns. */
interface Port extends MessagePort {
  ref?: () => void;
  unref?: () => void;
}

const waiting: (() => void)[] = [];
let ports: { ask: MessagePort; answer: Port } | undefined;

/** Lets other tasks of the event loop run. A message port: timers are clamped to milliseconds in pages. */
export function nextTurn(): Promise<void> {
  ports ??= open();
  const { ask, answer } = ports;
  return new Promise((resolve) => {
    waiting.push(resolve);
    answer.ref?.();
    ask.postMessage(undefined);
  });
}

function open(): { ask: MessagePort; answer: Port } {
  const { port1, port2 } = new MessageChannel();
  const answer: Port = port1;
  answer.onmessage = () => {
    waiting.shift()?.();
    if (waiting.length === 0) answer.unref?.();
  };
  return { ask: port2, answer };
}
