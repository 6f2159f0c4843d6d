/** The terms that the manager agreed to last: with the invitation, then with every accepted release. */
import type { FileTree } from '../io/file-tree.ts';
import { sha256 } from '../protocol/digest.ts';
import { MAX_TERMS_JSON, parseTerms, type Terms } from '../protocol/terms.ts';

/** Below `state/`. */
export const AGREED_TERMS = 'terms.json';

export interface AgreedTerms {
  readonly terms: Terms;
  /** SHA-256 of their bytes. */
  readonly digest: string;
}

/** @throws TIEUP_E_NOT_FOUND when this site has not joined. */
export async function readAgreedTerms(state: FileTree): Promise<AgreedTerms> {
  const bytes = await state.read(AGREED_TERMS, MAX_TERMS_JSON);
  return { terms: parseTerms(bytes), digest: sha256(bytes) };
}

export async function keepAgreedTerms(state: FileTree, bytes: Uint8Array): Promise<void> {
  await state.write(AGREED_TERMS, bytes);
}
