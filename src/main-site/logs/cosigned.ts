/** The main site's answer to an export: its cosignature below the partner's own checkpoint, kept here and put into the inbox. */
import { isTieupError } from '../../errors.ts';
import type { FileTree } from '../../io/file-tree.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { MAX_CHECKPOINT_NOTE } from '../../protocol/checkpoint.ts';
import { cosign } from '../../protocol/cosignature.ts';
import { cosignedPath } from '../../protocol/exchange.ts';
import { instant } from '../../protocol/instant.ts';
import type { NoteSigner } from '../../protocol/note.ts';
import type { MainSite } from '../main-site.ts';
import { logPath, type Pins, TREES, type TreeName } from './log-records.ts';

/**
 * Cosigns what is pinned, once, and puts it into the inbox unless it is there. Nothing is ever cosigned that is not pinned: two
 * cosigned truths would be the main site's own lie.
 */
export async function showCosigned(
  site: MainSite,
  partner: string,
  exchange: Pick<FileTree, 'read' | 'write'>,
  pins: Pins,
  signer: NoteSigner,
): Promise<void> {
  for (const log of TREES) {
    const note = await cosigned(site, partner, log, pins, signer);
    if (note === undefined) continue;
    if (!(await holds(exchange, cosignedPath(log), note))) await exchange.write(cosignedPath(log), note);
  }
}

async function cosigned(
  site: MainSite,
  partner: string,
  log: TreeName,
  pins: Pins,
  signer: NoteSigner,
): Promise<Uint8Array | undefined> {
  const { checkpoint } = pins[log];
  if (checkpoint === null) return undefined;
  const note = Buffer.from(checkpoint, 'base64');
  const path = logPath(partner, `${log}.cosigned`);
  const kept = await readIfThere(site.files, path, MAX_CHECKPOINT_NOTE);
  if (kept !== undefined && Buffer.compare(kept.subarray(0, note.length), note) === 0) return kept;
  const made = cosign(note, signer, instant(site.clock.now()));
  await site.files.write(path, made);
  return made;
}

/** Whether a file of the inbox has these bytes; one that is too long or no file has not. */
export async function holds(exchange: Pick<FileTree, 'read'>, path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return Buffer.compare(await exchange.read(path, bytes.length), bytes) === 0;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND', 'TIEUP_E_TOO_LARGE', 'TIEUP_E_UNSAFE_PATH')) return false;
    throw error;
  }
}
