/**
 * Takes in what a partner says of its own new keys: site and log keys at once, because the accept key vouches for them; a new
 * accept key only after the operator has compared words with the partner's manager.
 */
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { OUTBOX_KEYS, MAX_KEYS_NOTE } from '../protocol/exchange.ts';
import { KEYS_TYPE, parseKeys, type PartnerKeys } from '../protocol/keys-note.ts';
import { openNote } from '../protocol/note.ts';
import { parseVkey, sixWords } from '../protocol/vkey.ts';
import type { MainSite } from './main-site.ts';
import { editPartnership, loadPartnership } from './partnerships.ts';

/** A new accept key, which nobody has confirmed yet. */
export interface PendingKeys {
  readonly partnership: Partnership;
  readonly keys: PartnerKeys;
  /** SHA-256 of the statement. */
  readonly digest: string;
  /** The same in words; the partner's `tieup keys rotate accept` showed them and its manager reads them out. */
  readonly words: readonly string[];
}

export interface KeyChange {
  /** With the keys that count from now on. */
  readonly partnership: Partnership;
  readonly pending: PendingKeys | undefined;
}

/** @throws TIEUP_E_VERIFY when the statement is not signed by the accept key that is known, or older than the one before. */
export async function takeInKeys(site: MainSite, partnership: Partnership, exchange: FileTree): Promise<KeyChange> {
  const said = await readStatement(exchange, partnership);
  if (said === undefined || partnership.keys === null) return { partnership, pending: undefined };
  const { keys, text } = said;
  if (keys.accept !== partnership.keys.accept) {
    const digest = sha256(text);
    return { partnership, pending: { partnership, keys, digest, words: sixWords(digest) } };
  }
  return { partnership: await record(site, partnership, keys), pending: undefined };
}

/** The new accept key that waits to be confirmed; undefined when there is none. */
export async function pendingKeys(site: MainSite, partner: string): Promise<PendingKeys | undefined> {
  const partnership = await loadPartnership(site, partner);
  const exchange = await site.connect(partnership);
  try {
    return (await takeInKeys(site, partnership, exchange)).pending;
  } finally {
    await exchange.close();
  }
}

/** The operator has compared the words. */
export async function trustKeys(site: MainSite, { partnership, keys }: PendingKeys): Promise<void> {
  await record(site, partnership, keys);
}

async function readStatement(
  exchange: FileTree,
  partnership: Partnership,
): Promise<{ readonly keys: PartnerKeys; readonly text: string } | undefined> {
  const { id, keys: known, keysSeq } = partnership;
  if (known === null) return undefined;
  const bytes = await readIfThere(exchange, OUTBOX_KEYS, MAX_KEYS_NOTE);
  if (bytes === undefined) return undefined;
  const { text } = openNote(bytes, [parseVkey(known.accept)], { type: KEYS_TYPE });
  const keys = parseKeys(text);
  const refuse = (why: string) =>
    new TieupError('TIEUP_E_VERIFY', `the statement of keys of ${id} cannot be trusted: ${why}`, {
      hint: 'ask the partner; a restored backup does this, and so does a thief',
    });
  if (keys.partner !== id) throw refuse(`it names the partner ${JSON.stringify(keys.partner)}`);
  if (keysSeq !== undefined && keys.seq < keysSeq)
    throw refuse(`it is number ${keys.seq}, but ${keysSeq} was seen before`);
  const same = keys.accept === known.accept && keys.site === known.site && keys.log === known.log;
  if (keysSeq !== undefined && keys.seq === keysSeq) {
    if (!same) throw refuse(`number ${keys.seq} was another one before`);
    return undefined;
  }
  if (keys.accept !== known.accept) openNote(bytes, [parseVkey(keys.accept)], { type: KEYS_TYPE });
  return { keys, text };
}

async function record(
  site: MainSite,
  partnership: Partnership,
  { accept, site: own, log, seq }: PartnerKeys,
): Promise<Partnership> {
  const edited = await editPartnership(site, partnership.id, [
    { path: ['keys'], value: { accept, site: own, log } },
    { path: ['keysSeq'], value: seq },
  ]);
  await site.history.add({ action: 'partner-keys', partner: partnership.id, detail: `statement ${seq}` });
  return edited;
}
