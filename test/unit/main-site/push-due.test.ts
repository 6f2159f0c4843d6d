/** Pushes at prescribed times: who is due, who is left alone after a failure, and when nothing has to be looked at closely. */
import { describe, expect, test } from 'vitest';
import { type ErrorCode, TieupError } from '../../../src/errors.ts';
import { readLastPush } from '../../../src/main-site/last-push.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { pushAll, type FleetRequest } from '../../../src/main-site/push-all.ts';
import { pushDue } from '../../../src/main-site/push-due.ts';
import { pushUnchanged } from '../../../src/main-site/unchanged-push.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { mainFixture, type MainFixture } from '../../support/partnership-fixture.ts';

const request: FleetRequest = {
  partners: [],
  message: { subject: undefined, text: undefined },
  full: false,
  concurrency: 1,
  onProgress: () => {},
};
const MINUTE_MS = 60_000;

/** Two partners whose time comes every minute. */
async function everyMinute(quiet = '[]'): Promise<MainFixture> {
  const main = await mainFixture();
  const schedule = `schedule:\n  at: "* * * * *"\n  quiet: ${quiet}\n`;
  for (const id of ['alpha', 'beta']) {
    await main.join(id, { partnership: schedule });
  }
  return main;
}

/** The site while one partner fails, and how often it was asked. */
function failing(main: MainFixture, code: ErrorCode) {
  let asked = 0;
  const connect: MainSite['connect'] = async (partner) => {
    if (partner.id !== 'alpha') return main.site.connect(partner);
    asked += 1;
    throw new TieupError(code, 'not today');
  };
  return { site: { ...main.site, connect }, asked: () => asked };
}

const after = (main: MainFixture, minutes: number) =>
  main.clock.set(new Date(main.clock.now().getTime() + minutes * MINUTE_MS));

describe('a partner that fails', () => {
  test('is left alone longer each time, an hour at most, and the others are served all the while', async () => {
    const main = await everyMinute();
    const { site, asked } = failing(main, 'TIEUP_E_CONNECTION');
    const tries: number[] = [];
    for (let minute = 0; minute < 200; minute += 1) {
      const before = asked();
      const { pushed } = await pushDue(site, request);
      expect(pushed.results.some(({ partner, kind }) => partner === 'beta' && kind !== 'failed')).toBe(true);
      if (asked() > before) tries.push(minute);
      after(main, 1);
    }
    expect(tries).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
  });

  test('by refusing the login is asked once a day, or when its file has changed, or after it was reached by hand', async () => {
    const main = await everyMinute();
    const { site, asked } = failing(main, 'TIEUP_E_LOGIN');
    await pushDue(site, request);
    after(main, 23 * 60);
    await pushDue(site, request);
    expect(asked()).toBe(1);
    after(main, 60);
    await pushDue(site, request);
    expect(asked()).toBe(2);
    await main.editPartner('alpha', 'name: alpha books', 'name: Alpha');
    after(main, 1);
    await pushDue(site, request);
    expect(asked()).toBe(3);

    after(main, 1);
    expect((await pushDue(main.site, request)).pushed.results.map(({ partner }) => partner)).toEqual(['beta']);
    after(main, 1);
    await main.push({ partners: ['alpha'] });
    after(main, 1);
    expect((await pushDue(main.site, request)).pushed.results.map(({ partner }) => partner)).toEqual(['alpha', 'beta']);
  });
});

test('whose quiet hours begin while others are served is left for later, and stays due', async () => {
  const main = await everyMinute('["12:01-12:30"]');
  const connect: MainSite['connect'] = async (partner) => {
    const tree = await main.site.connect(partner);
    return { ...tree, close: async () => (after(main, 2), tree.close()) };
  };
  const { pushed } = await pushDue({ ...main.site, connect }, request);
  expect(pushed.results).toMatchObject([{ partner: 'alpha', kind: 'pushed' }]);
  expect(pushed.passedOver).toEqual([{ partner: 'beta', why: 'its quiet hours have begun' }]);
  expect((await pushDue(main.site, request)).pushed.results).toEqual([]);
  after(main, 40);
  const later = (await pushDue(main.site, request)).pushed.results;
  expect(later).toMatchObject([{ partner: 'alpha' }, { partner: 'beta', kind: 'pushed' }]);
});

test('where nobody lacks anything neither pages nor files of partners are parsed, and nobody is asked before the time', async () => {
  const main = await everyMinute();
  const keep = async () => ({ tool: 'one', config: sha256(await main.site.files.read('tieup.yaml', 1e6)) });
  await main.push({ keep: await keep() });
  await main.push({ keep: await keep() });
  after(main, 1);
  const refuse = async (): Promise<never> => Promise.reject(new Error('nothing of this is needed'));
  const read: string[] = [];
  const files = {
    ...main.site.files,
    read: (...words: Parameters<typeof main.site.files.read>) => (read.push(words[0]), main.site.files.read(...words)),
  };
  const site: MainSite = { ...main.site, files, markdown: { compile: refuse } };
  const last = await readLastPush(site.files, 'one');
  const push = async (due: FleetRequest) => {
    const unchanged = last && (await pushUnchanged(site, last, due));
    if (unchanged === undefined || unchanged.rest.size > 0) throw new Error('there is something to do');
    return { ...unchanged, answers: new Map(), heldBack: [] };
  };
  const due = await pushDue(site, request, { last, push });
  expect(due.pushed.results).toMatchObject([
    { partner: 'alpha', kind: 'unchanged' },
    { partner: 'beta', kind: 'unchanged' },
  ]);
  read.length = 0;
  expect((await pushDue(site, request, { last, push })).pushed.results).toEqual([]);
  expect(read.filter((path) => path.startsWith('.tieup/partners/'))).toEqual([]);

  // A file that has changed says itself when its partner is due.
  await main.editPartner('alpha', '"* * * * *"', '"0 0 1 1 *"');
  after(main, 1);
  const changed = await pushDue(main.site, request, { last, push: (some) => pushAll(main.site, some) });
  expect(changed.pushed.results.map(({ partner }) => partner)).toEqual(['beta']);
});
