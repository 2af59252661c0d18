// By its path: the bundler of Next.js knows a package's own names for its files, but not with `?module`.

import { outcome, remoteOutcome } from '../../../bundled.js';
import wasm from '../../../node_modules/attention-wasm/dist/attention-simd.wasm?module';

export const runtime = 'edge';
export const dynamic = 'force-dynamic';

export async function GET() {
  return Response.json({
    engine: await outcome({ wasm }),
    auto: await outcome({ wasm, threads: 'auto' }),
    none: await outcome(),
    worker: await remoteOutcome({ wasm }),
  });
}
