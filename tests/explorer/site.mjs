// The built page on localhost. EXPLORER_DIST names another build of it than demo/dist.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { contentSecurityPolicy, serve } from '../../scripts/lib/serve.mjs';
import { violationPath } from '../browser/drivers/index.mjs';

export const root = process.env.EXPLORER_DIST ?? fileURLToPath(new URL('../../demo/dist', import.meta.url));

/** What the page opens with. */
export const sentence = 'The animal did not cross the street because it was too tired.';

/** From a sub-path, reporting what breaks the policy. `options` are those of serve. */
export function serveExplorer({ headers = {}, ...options } = {}) {
  if (!existsSync(`${root}/index.html`)) throw new Error(`${root} is not built. Run: npm test`);
  return serve({
    root,
    base: '/some/where/',
    headers: { 'content-security-policy': `${contentSecurityPolicy}; report-uri ${violationPath}`, ...headers },
    ...options,
  });
}
