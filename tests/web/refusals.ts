import { type Attention, AttentionError } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';

/** What a call that must fail throws; anything but an AttentionError is passed on. */
export function refusal(call: () => unknown): AttentionError {
  try {
    call();
  } catch (error) {
    return known(error);
  }
  throw new Error('it was accepted');
}

export async function rejection(promise: Promise<unknown>): Promise<AttentionError> {
  const error = await promise.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  );
  return known(error);
}

export const refusedModel = (engine: Attention, files: object, options?: object): AttentionError =>
  refusal(() => createModel(engine, files as never, options as never).dispose());

function known(error: unknown): AttentionError {
  if (error instanceof AttentionError) return error;
  throw error;
}
