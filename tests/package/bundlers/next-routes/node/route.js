import { outcome, remoteOutcome } from '../../../bundled.js';

export const dynamic = 'force-dynamic';

export async function GET() {
  return Response.json({
    engine: await outcome({ deterministic: true }),
    auto: await outcome({ deterministic: true, threads: 'auto' }),
    worker: await remoteOutcome({ deterministic: true, threads: 1 }),
  });
}
