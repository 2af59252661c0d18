import { type OwnFiles, readOwn } from '../own';
import type { ModelInfo } from '../protocol';
import type { Session } from '../session';

export interface OpenedModel {
  info: ModelInfo;
  /** How many ids there are, where the text is token ids; else null. */
  vocabulary: number | null;
}

/** Reads a model from the visitor's own files; one that is refused leaves everything as it was. */
export async function openModel(session: Session, files: OwnFiles): Promise<OpenedModel> {
  const loaded = await readOwn(session.attention, files);
  session.models.open(loaded);
  return { info: loaded.info, vocabulary: loaded.vocabulary ?? null };
}
