/** Compares the live tree with the ledger in force: every difference, in one pass over the bytes. */
import type { FileKind } from '../io/file-tree.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { identifyEach, lookAround } from './look.ts';
import { type Layout, type Ports, treePathOf } from './ports.ts';
import { readLive } from './records.ts';

export interface Difference {
  /**
   * - `changed`: other bytes than were published.
   * - `missing`: published, and gone.
   * - `extra`: a file or link under the mount which tieup did not put there.
   * - `wrong-kind`: a link, a folder or something else stands where a file was published.
   * - `unlike-original`: a copy of a page of the partner's own that is not what that page is now. Told only where the main site
   *   publishes, whose records do not vouch for copies; partner-site/not-decided.ts finds it.
   */
  readonly kind: 'changed' | 'missing' | 'extra' | 'wrong-kind' | 'unlike-original';
  /** From the web root. */
  readonly path: string;
  /** What stands there instead of a file. */
  readonly found?: FileKind | 'unnamable';
}

/**
 * Sorted by path in byte order; empty when everything is as it was published, or nothing was.
 * @throws TIEUP_E_CONFLICT when the web root is not what the way of publishing needs; TIEUP_E_VERIFY when the ledger is damaged.
 */
export async function verifyLive(ports: Ports, layout: Layout): Promise<readonly Difference[]> {
  const { number, ledger, record } = await readLive(ports, layout);
  if (layout.how === 'link' && number === 0) return [];
  const base = treePathOf(layout, number);
  const mounts = [layout.mount, record?.mount ?? layout.mount].map((mount) => mount.slice(1));
  const unseen = new Map(ledger.entries);
  const differences: Difference[] = [];
  const signed: { readonly path: string; readonly length: number; readonly digest: string }[] = [];
  for (const { path, kind, length } of await lookAround(ports.web, base)) {
    const entry = unseen.get(path);
    if (entry === undefined) {
      if (kind !== 'folder' && mounts.some((mount) => path.startsWith(mount)))
        differences.push({ kind: 'extra', path });
      continue;
    }
    unseen.delete(path);
    if (kind !== 'file') differences.push({ kind: 'wrong-kind', path, found: kind });
    else if (length === entry.length) signed.push({ path, length, digest: entry.digest });
    else differences.push({ kind: 'changed', path });
  }
  await identifyEach(ports.web, base, signed, ({ path, digest }, bytes) => {
    if (bytes.digest !== digest) differences.push({ kind: 'changed', path });
  });
  for (const path of unseen.keys()) differences.push({ kind: 'missing', path });
  return differences.sort((a, b) => byteOrder(a.path, b.path));
}
