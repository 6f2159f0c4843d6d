/**
 * Releases as an evil main site would make them: every signature is right, and what is signed is whatever the test says.
 * The real main site refuses to sign most of it, so these go around its use cases.
 */
import { deriveSeed } from '../../src/protocol/derive.ts';
import { sha256 } from '../../src/protocol/digest.ts';
import {
  INBOX_METADATA,
  packPath,
  TARGET_RELEASE,
  TARGET_SUMS,
  TARGET_TERMS,
  targetPath,
} from '../../src/protocol/exchange.ts';
import { instant } from '../../src/protocol/instant.ts';
import { buildPack } from '../../src/protocol/pack.ts';
import { type Release, type ReleaseFile, renderRelease } from '../../src/protocol/release.ts';
import { renderSums, type SumLine } from '../../src/protocol/sums.ts';
import { renderTerms, type Terms } from '../../src/protocol/terms.ts';
import { signRelease } from '../../src/protocol/tuf-repository.ts';
import { byteOrder } from '../../src/protocol/byte-order.ts';
import { folderTree } from '../../src/io/folder-tree.ts';
import { seededKey } from './memory-keys.ts';
import type { MainFixture } from './partnership-fixture.ts';
import type { PartnerFixture } from './partner-fixture.ts';

export interface Hostile {
  /** Content by path from the web root. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Version of targets, snapshot and timestamp, and the number of the release; 10 unless given. */
  readonly version?: number;
  /** Partner whose keys sign; the one whose inbox it is unless given. */
  readonly keysOf?: string;
  readonly release?: (release: Release) => Release;
  readonly terms?: (terms: Terms) => Terms;
  readonly sums?: (lines: readonly SumLine[]) => readonly SumLine[];
  /** Bytes in place of the rendered documents. */
  readonly bytes?: { readonly release?: Uint8Array; readonly terms?: Uint8Array; readonly sums?: Uint8Array };
  /** Further targets by name. */
  readonly targets?: Readonly<Record<string, Uint8Array>>;
  /** When it was signed; now unless given. */
  readonly now?: Date;
  readonly targetsExpire?: Date;
  /** The pack with the content; made from the files unless given, none when null. */
  readonly pack?: Uint8Array | null;
}

/** Lays the release into the inbox of `shop`, as a push does. Returns its digest. */
export async function layHostile(main: MainFixture, shop: PartnerFixture, hostile: Hostile): Promise<string> {
  const { version = 10, now = main.clock.now() } = hostile;
  const exchange = folderTree(shop.path('exchange'));
  const contents = contentsOf(hostile.files);
  const terms = (hostile.terms ?? ((same) => same))(plainTerms(shop.id));
  const release = (hostile.release ?? ((same) => same))(releaseOf(shop.id, version, now, contents));
  const sums = (hostile.sums ?? ((same) => same))(release.files);
  const targets: Record<string, Uint8Array> = {
    [TARGET_RELEASE]: hostile.bytes?.release ?? renderRelease(release),
    [TARGET_TERMS]: hostile.bytes?.terms ?? renderTerms(terms),
    [TARGET_SUMS]: hostile.bytes?.sums ?? renderSums(sums),
    ...hostile.targets,
  };
  const keysOf = hostile.keysOf ?? shop.id;
  const seeds = {
    targets: [deriveSeed(seededKey('main', 'release'), 'targets', 'main', keysOf, 1)],
    online: deriveSeed(seededKey('main', 'online'), 'online', 'main', keysOf, 1),
  };
  const signed = signRelease({
    seeds,
    versions: { targets: version, snapshot: version, timestamp: version },
    now,
    targets: new Map(
      Object.entries(targets).map(([name, bytes]) => [name, { length: bytes.length, sha256: sha256(bytes) }]),
    ),
    targetsExpire: hostile.targetsExpire,
  });
  const pack =
    hostile.pack === undefined
      ? await buildPack([...contents].map(([, bytes]) => ({ digest: sha256(bytes), bytes })))
      : hostile.pack;
  if (pack !== null) await exchange.write(packPath(sha256(pack)), pack);
  for (const [name, bytes] of Object.entries(targets)) await exchange.write(targetPath(sha256(bytes), name), bytes);
  for (const { name, bytes } of [signed.targets, signed.snapshot, signed.timestamp]) {
    await exchange.write(`${INBOX_METADATA}/${name}`, bytes);
  }
  return sha256(signed.targets.bytes);
}

/** A page that hides nothing. */
export const HARMLESS = { 'with-main/page.html': '<!doctype html><title>A page</title>hello\n' };

function contentsOf(files: Hostile['files']): ReadonlyMap<string, Uint8Array> {
  const sorted = Object.entries(files).toSorted(([a], [b]) => byteOrder(a, b));
  return new Map(sorted.map(([path, content]) => [path, Uint8Array.from(Buffer.from(content))]));
}

function releaseOf(partner: string, version: number, now: Date, contents: ReadonlyMap<string, Uint8Array>): Release {
  return {
    partner,
    site: 'https://northwind.example/',
    release: version,
    base: null,
    created: instant(now),
    confirmBy: null,
    message: { subject: 'trust me', text: '' },
    files: [...contents].map(([path, bytes]): ReleaseFile => {
      const page = path.endsWith('.html')
        ? ({ page: { inherit: 'full', title: path, change: 'added', slots: [] } } as const)
        : {};
      return { path, length: bytes.length, digest: sha256(bytes), since: version, ...page };
    }),
  };
}

/** Of the partnerships that tests make, where nothing else was agreed. */
export function plainTerms(partner: string): Terms {
  return {
    partner,
    main: { name: 'Northwind Coffee', url: 'https://northwind.example/' },
    period: { from: '2026-01-01T00:00:00Z', until: null },
    mount: '/with-main/',
    publisher: 'partner',
    policy: { scripts: 'none', remoteOrigins: [], serviceWorkers: false, search: 'canonical-to-main' },
    services: ['pages'],
    tariff: null,
  };
}
