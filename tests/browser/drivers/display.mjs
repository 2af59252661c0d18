// A virtual display: what has no window here has no WebGL2 in Firefox, and no browser at all in WebKitGTK.
import { spawn } from 'node:child_process';

/** Where a free display is looked for: two that look at once would find the same. */
const first = 99 + 50 * Number(process.env.VITEST_POOL_ID ?? 0);

/** `env` lets programs draw there, until `stop()`. */
export async function startDisplay() {
  const command = ['sh', '-c', 'echo "$DISPLAY $XAUTHORITY"; exec sleep infinity'];
  const child = spawn('xvfb-run', ['-a', '-n', String(first), '-s', '-screen 0 1600x1200x24', ...command], {
    detached: true, // Its own process group, so that the server ends with it.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const stop = () => endGroup(child, stop);
  process.on('exit', stop);
  const [display, authority] = await new Promise((done, fail) => {
    child.stdout.once('data', (line) => done(String(line).trim().split(' ')));
    child.once('exit', (code) => fail(new Error(`xvfb-run ended with ${code}.`)));
  });
  return { env: { ...process.env, DISPLAY: display, XAUTHORITY: authority }, stop };
}

/** Ends a detached process with all that it started; `stop` no longer waits for this process to end. */
export function endGroup(child, stop) {
  process.off('exit', stop);
  try {
    process.kill(-child.pid);
  } catch {
    // It has ended already.
  }
}
