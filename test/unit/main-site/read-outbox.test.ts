/** What a partner answered, and what of it is believed. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { carriesOut, type Outbox, readOutbox, receiptFollows } from '../../../src/main-site/read-outbox.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import { type Decision, decisionDigest, renderDecision } from '../../../src/protocol/decision.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { noteSigner, signNote } from '../../../src/protocol/note.ts';
import { type AcceptPolicy, renderPolicy } from '../../../src/protocol/policy.ts';
import { type Receipt, renderReceipt } from '../../../src/protocol/receipt.ts';
import { seededKey } from '../../support/memory-keys.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';

const DECISION: Decision = {
  partner: 'harbour',
  terms: sha256('terms'),
  seq: 1,
  previous: null,
  release: 1,
  releaseDigest: sha256('release 1'),
  merge: sha256('merge'),
  verdict: 'accepted',
  by: 'manager',
  time: '2026-11-23T12:00:00Z',
  expires: '2026-12-23T12:00:00Z',
  reason: null,
};

const RECEIPT: Receipt = {
  partner: 'harbour',
  release: 1,
  releaseDigest: DECISION.releaseDigest,
  decision: decisionDigest(DECISION),
  publication: 1,
  published: sha256('sums'),
  state: 'live',
  pages: { tieUp: 3, original: 2 },
  time: '2026-11-23T12:00:00Z',
};

const POLICY: AcceptPolicy = {
  partner: 'harbour',
  maxChanged: null,
  maxRemoved: null,
  from: '2026-11-01T00:00:00Z',
  until: '2026-12-01T00:00:00Z',
};

type Role = 'accept' | 'site';

/** An outbox written by hand, each note with the key that it says. */
async function outboxWith(
  notes: {
    readonly decision?: readonly [Partial<Decision>, Role];
    readonly policy?: readonly [Partial<AcceptPolicy>, Role];
    readonly receipt?: readonly [Partial<Receipt>, Role];
  },
  change: (shop: PartnerFixture, main: MainFixture) => Promise<void> = async () => {},
): Promise<Outbox> {
  const { main, shop } = await partnership();
  const sign = async (body: string, role: Role) =>
    signNote(body, [noteSigner(`harbour/${role}`, await shop.keys.load(role))]);
  const { decision, policy, receipt } = notes;
  const files: [string, Promise<Uint8Array>][] = [];
  if (decision) files.push(['decision.note', sign(renderDecision({ ...DECISION, ...decision[0] }), decision[1])]);
  if (policy) files.push(['policy.note', sign(renderPolicy({ ...POLICY, ...policy[0] }), policy[1])]);
  if (receipt) files.push(['receipt.note', sign(renderReceipt({ ...RECEIPT, ...receipt[0] }), receipt[1])]);
  for (const [name, note] of files) await shop.write(`exchange/outbox/${name}`, await note);
  await change(shop, main);
  const partner = await loadPartnership(main.site, 'harbour');
  return readOutbox(await main.site.connect(partner), partner);
}

async function refused(outbox: Promise<Outbox>): Promise<string> {
  const error: unknown = await outbox.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TieupError)) throw new Error('the outbox was believed');
  expect(error).toMatchObject({ code: 'TIEUP_E_VERIFY', exitCode: 5 });
  return error.message;
}

const BY_POLICY: Partial<Decision> = { by: 'policy' };

describe('the outbox of a partner', () => {
  test('that is empty says nothing', async () => {
    expect(await outboxWith({})).toEqual({ decision: undefined, receipt: undefined });
  });

  test('holds the decision of the manager and the receipt of the site', async () => {
    const outbox = await outboxWith({ decision: [{}, 'accept'], receipt: [{}, 'site'] });
    expect(outbox).toEqual({ decision: DECISION, receipt: RECEIPT });
    expect(receiptFollows(outbox)).toBe(true);
    expect(carriesOut(outbox, DECISION.releaseDigest)).toBe(true);
    expect(carriesOut(outbox, sha256('another release'))).toBe(false);
  });

  test('may hold a receipt of another decision, or of a partner that has left', async () => {
    const older = await outboxWith({ decision: [{ seq: 2 }, 'accept'], receipt: [{}, 'site'] });
    expect(receiptFollows(older)).toBe(false);
    const left = await outboxWith({ decision: [{}, 'accept'], receipt: [{ state: 'left' }, 'site'] });
    expect(carriesOut(left, DECISION.releaseDigest)).toBe(false);
  });

  test('is not believed when the site key signed in the name of the manager', async () => {
    expect(await refused(outboxWith({ decision: [{}, 'site'] }))).toContain('the accept key did not sign it');
  });

  test('is not believed when a stranger signed under the name of the partner', async () => {
    await expect(
      refused(
        outboxWith({}, async (shop) =>
          shop.write(
            'exchange/outbox/decision.note',
            signNote(renderDecision(DECISION), [noteSigner('harbour/accept', seededKey('a stranger', 'accept'))]),
          ),
        ),
      ),
    ).resolves.toBeTypeOf('string');
  });

  test.each(['decision', 'receipt'] as const)('is not believed when the %s names another partner', async (what) => {
    const role = what === 'decision' ? 'accept' : 'site';
    expect(await refused(outboxWith({ [what]: [{ partner: 'other' }, role] }))).toContain('"other"');
  });

  test('is not believed when the accept key signed the receipt: that is the site’s to say', async () => {
    await expect(refused(outboxWith({ receipt: [{}, 'accept'] }))).resolves.toBeTypeOf('string');
  });

  test.each(['decision', 'receipt'] as const)('is not believed when one letter of the %s was edited', async (what) => {
    const edit = async (shop: PartnerFixture): Promise<void> => {
      const path = `outbox/${what}.note`;
      const text = await readFile(shop.path(`exchange/${path}`), 'utf8');
      await shop.write(`exchange/${path}`, text.replace('release 1 ', 'release 2 '));
    };
    await expect(refused(outboxWith({ decision: [{}, 'accept'], receipt: [{}, 'site'] }, edit))).resolves.toBeTypeOf(
      'string',
    );
  });

  test('takes a decision by policy under a policy of the manager that was in force', async () => {
    const outbox = await outboxWith({ decision: [BY_POLICY, 'site'], policy: [{}, 'accept'] });
    expect(outbox.decision?.by).toBe('policy');
    const { from, until } = POLICY;
    for (const time of [from, until])
      expect(
        (await outboxWith({ decision: [{ ...BY_POLICY, time }, 'site'], policy: [{}, 'accept'] })).decision?.time,
      ).toBe(time);
  });

  test('is not believed when it decides by policy without one', async () => {
    expect(await refused(outboxWith({ decision: [BY_POLICY, 'site'] }))).toContain('no policy of the manager');
  });

  test('is not believed when the site key made its own policy', async () => {
    await expect(refused(outboxWith({ decision: [BY_POLICY, 'site'], policy: [{}, 'site'] }))).resolves.toBeTypeOf(
      'string',
    );
  });

  test('is not believed when the policy is of another partner', async () => {
    expect(
      await refused(outboxWith({ decision: [BY_POLICY, 'site'], policy: [{ partner: 'other' }, 'accept'] })),
    ).toContain('"other"');
  });

  test.each([
    ['before the policy began', '2026-10-31T23:59:59Z'],
    ['after it was over', '2026-12-01T00:00:01Z'],
  ])('is not believed when it decided by policy %s', async (_when, time) => {
    expect(await refused(outboxWith({ decision: [{ ...BY_POLICY, time }, 'site'], policy: [{}, 'accept'] }))).toContain(
      'not in force',
    );
  });

  test('is not read beyond its bound, whoever fills it', async () => {
    const flood = outboxWith({}, async (shop) => shop.write('exchange/outbox/decision.note', 'x'.repeat(20_000)));
    await expect(flood).rejects.toMatchObject({ code: 'TIEUP_E_TOO_LARGE' });
  });
});
