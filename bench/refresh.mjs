// What a main site with very many partners pays to sign: each partner has keys of its own, derived from the masters.
import { deriveSeed } from '../dist/protocol/derive.js';
import { signFreshness, signRelease } from '../dist/protocol/tuf-repository.js';
import { count, memory, table, time } from './text.mjs';

const PARTNERS = 10_000;
const NOW = new Date('2026-11-23T12:00:00Z');
const MASTERS = { release: new Uint8Array(32).fill(1), online: new Uint8Array(32).fill(2) };
const TARGET = { length: 123_456, sha256: 'ab'.repeat(32) };
const TARGETS = new Map(['SHA256SUMS', 'partnership.json', 'release.json'].map((name) => [name, TARGET]));

/** @param {number} partner */
function seedsOf(partner) {
  const id = `partner-${partner}`;
  return {
    targets: [deriveSeed(MASTERS.release, 'targets', 'main', id, 1)],
    online: deriveSeed(MASTERS.online, 'online', 'main', id, 1),
  };
}

/** @param {number} partner */
function release(partner) {
  const versions = { targets: 7, snapshot: 90, timestamp: 90 };
  return signRelease({ seeds: seedsOf(partner), versions, now: NOW, targets: TARGETS });
}

/** @param {number} partner @param {Uint8Array} bytes the `N.targets.json` in force */
function refresh(partner, bytes) {
  const online = deriveSeed(MASTERS.online, 'online', 'main', `partner-${partner}`, 1);
  return signFreshness({
    online,
    versions: { snapshot: 91, timestamp: 91 },
    now: NOW,
    targets: { version: 7, bytes },
  });
}

/**
 * Time of all partners, and resident memory after a tenth of them and after all.
 * @param {(partner: number) => unknown} work
 */
function measure(work) {
  const started = performance.now();
  let early = 0;
  for (let partner = 0; partner < PARTNERS; partner++) {
    work(partner);
    if (partner === PARTNERS / 10) early = process.memoryUsage().rss;
  }
  const late = process.memoryUsage().rss;
  return { milliseconds: performance.now() - started, early: early / 2 ** 20, late: late / 2 ** 20 };
}

export async function refreshOfPartners() {
  const { targets } = release(0);
  const rows = Object.entries({
    'keys alone (HKDF)': measure(seedsOf),
    'snapshot and timestamp, as `tieup refresh` signs them': measure((partner) => refresh(partner, targets.bytes)),
    'targets, snapshot and timestamp, as `tieup push` signs them': measure(release),
  });
  return [
    `${count(PARTNERS)} partners, one thread, without the transfer. Aim: at most 60 s, memory flat.`,
    table(
      ['signed', 'time', 'each', 'memory after 1,000', 'after 10,000'],
      rows.map(([name, { milliseconds, early, late }]) => [
        name,
        time(milliseconds),
        `${(milliseconds / PARTNERS).toFixed(2)} ms`,
        memory(early),
        memory(late),
      ]),
    ),
  ].join('\n\n');
}
