/** What a push to many partners says at its end, and how the command ends. */
import { expect, test } from 'vitest';
import { createContext } from '../../../src/cli/context.ts';
import { createOutput } from '../../../src/cli/output.ts';
import { tellPush } from '../../../src/cli/push-outcome.ts';
import { TieupError } from '../../../src/errors.ts';
import type { Pushed } from '../../../src/main-site/push-all.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';

const NOTHING: Pushed = { results: [], answers: new Map(), heldBack: [], passedOver: [], warnings: [] };
const failed = (partner: string) =>
  ({ kind: 'failed', partner, error: new TieupError('TIEUP_E_CONNECTION', 'the server is gone') }) as const;
const unchanged = (partner: string) =>
  ({ kind: 'unchanged', partner, release: 1, releaseDigest: '0'.repeat(64), troubles: [] }) as const;

async function told(pushed: Partial<Pushed>, goOn = 'tieup push --retry-failed') {
  const terminal = fakeTerminal();
  const output = createOutput(terminal, { json: false, quiet: false, colour: false });
  const context = createContext(
    terminal,
    { json: false, quiet: false, colour: false, folder: undefined, site: undefined },
    output,
  );
  let thrown: unknown;
  try {
    await tellPush(context, { ...NOTHING, ...pushed }, goOn);
  } catch (error) {
    thrown = error;
  }
  return { exitCode: context.exitCode(), thrown, out: terminal.out(), err: terminal.err() };
}

test('a push that stopped after its only first partner failed ends with 3, and says how to go on', async () => {
  const { exitCode, thrown, err } = await told({ results: [failed('alpha')], heldBack: ['beta', 'gamma'] });
  expect({ exitCode, thrown }).toEqual({ exitCode: 3, thrown: undefined });
  expect(err).toContain('not pushed to beta, gamma');
  expect(err).toContain('to go on all the same: tieup push --retry-failed');
});

test('a push to one partner alone ends as that partner failed', async () => {
  expect((await told({ results: [failed('alpha')] })).thrown).toMatchObject({ code: 'TIEUP_E_CONNECTION' });
});

test('a partner tried first that has said no ends the push with 9, with its reason', async () => {
  const answers: Pushed['answers'] = new Map([['alpha', { kind: 'rejected', reason: 'too dear' }]]);
  const { thrown, out } = await told({ results: [unchanged('alpha')], answers, heldBack: ['beta'] });
  expect(thrown).toMatchObject({ code: 'TIEUP_E_DECLINED', message: 'alpha rejected the release: too dear' });
  expect(out).toContain('rejected');
});

test('what failed of a saved plan is done by that plan again', async () => {
  const { err } = await told({ results: [failed('alpha'), unchanged('beta')] }, 'tieup push plan.json');
  expect(err).toContain('to try only these again: tieup push plan.json');
});
