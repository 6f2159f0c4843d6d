/** What a program that embeds tieup does with it, by the names that the package exports. */
import { describe, expect, test } from 'vitest';
import {
  decisionDigest,
  DECISION_TYPE,
  EMPTY_LEDGER,
  isTieupError,
  NO_CHOICES,
  noteSigner,
  openNote,
  openProof,
  parseDecision,
  parseReceipt,
  parseRecord,
  parseVkey,
  planMerge,
  proveRecord,
  RECEIPT_TYPE,
  renderDecision,
  renderProof,
  renderReceipt,
  renderVkey,
  signNote,
  verifyPart,
  type Decision,
  type Receipt,
} from '../../src/index.ts';
import { hits, logKey, partOf } from '../support/exported-log.ts';

const signer = noteSigner('harbour/accept', Buffer.alloc(32, 'accept'));
const site = noteSigner('harbour/site', Buffer.alloc(32, 'site'));
const keyOf = ({ name, publicKey }: typeof signer) => parseVkey(renderVkey(name, publicKey));

const decision: Decision = {
  partner: 'harbour',
  terms: 'a'.repeat(64),
  seq: 1,
  previous: null,
  release: 6,
  releaseDigest: 'b'.repeat(64),
  merge: 'c'.repeat(64),
  verdict: 'accepted',
  by: 'manager',
  time: '2026-11-23T22:00:00Z',
  expires: '2026-12-23T22:00:00Z',
  reason: null,
};

const receipt: Receipt = {
  partner: 'harbour',
  release: 6,
  releaseDigest: decision.releaseDigest,
  decision: decisionDigest(decision),
  publication: 8,
  published: 'd'.repeat(64),
  state: 'live',
  pages: { tieUp: 4, original: 3 },
  time: '2026-11-23T22:00:01Z',
};

describe('a program that embeds tieup', () => {
  test('verifies that a receipt carries out a decision of the manager', () => {
    const decided = signNote(renderDecision(decision), [signer]);
    const received = signNote(renderReceipt(receipt), [site]);
    const opened = parseDecision(openNote(decided, [keyOf(signer)], { type: DECISION_TYPE }).text);
    expect(parseReceipt(openNote(received, [keyOf(site)], { type: RECEIPT_TYPE }).text).decision).toBe(
      decisionDigest(opened),
    );
  });

  test('learns by a code that a note is of another key', () => {
    const forged = signNote(renderDecision(decision), [site]);
    let fault: unknown;
    try {
      openNote(forged, [keyOf(signer)]);
    } catch (error) {
      fault = error;
    }
    expect(isTieupError(fault, 'TIEUP_E_VERIFY')).toBe(true);
  });

  test('verifies an exported log and proves one of its records', async () => {
    const part = partOf(hits(5), { discloses: (index) => index !== 1 });
    const seen: number[] = [];
    const verified = await verifyPart([part], { keys: [logKey] }, ({ count, indexes }) => {
      seen.push(...indexes.subarray(0, count));
    });
    expect(verified).toMatchObject({ disclosed: 4, withheld: 1 });
    expect(seen).toEqual([0, 2, 3, 4]);
    const proof = renderProof(await proveRecord([part], { keys: [logKey] }, 3));
    expect(parseRecord(openProof(proof, [logKey]).record).page).toBe('with-main/story.html');
  });

  test('plans a merge without touching a file', () => {
    const file = { path: 'with-main/a.html', length: 4, digest: 'e'.repeat(64), since: 1, page: { slots: [] } };
    const own = { path: 'index.html', kind: 'file' as const, length: 2, digest: 'f'.repeat(64) };
    const plan = planMerge({
      release: { files: [file] },
      mount: '/with-main/',
      originals: [own],
      how: 'link',
      slots: [],
      ledger: EMPTY_LEDGER,
      live: new Map(),
      folders: new Set(),
      choices: NO_CHOICES,
    });
    expect(plan.conflicts).toEqual([]);
    expect(plan.entries.map(({ path, from }) => [path, from.kind])).toEqual([
      ['index.html', 'original'],
      ['with-main/a.html', 'object'],
    ]);
  });
});
