/** When a push finds that everybody has everything, without loading the site, and when it must not. */
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import { keepHold } from '../../../src/main-site/holds.ts';
import { rotateMaster } from '../../../src/main-site/keys-rotate.ts';
import { readLastPush } from '../../../src/main-site/last-push.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { readRecord } from '../../../src/main-site/record.ts';
import { pushAll } from '../../../src/main-site/push-all.ts';
import { refresh } from '../../../src/main-site/refresh.ts';
import { pushUnchanged, type Unchanged, type UnchangedRequest } from '../../../src/main-site/unchanged-push.ts';
import { readUnfinished } from '../../../src/main-site/unfinished.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { mainFixture, PAGES, type MainFixture } from '../../support/partnership-fixture.ts';

const CONFIG = 'tieup.yaml';
const TOOL = 'one';

interface Served {
  readonly main: MainFixture;
  readonly shop: PartnerFixture;
  look(request?: Partial<UnchangedRequest>, site?: MainSite, tool?: string): Promise<Unchanged | undefined>;
  push(): Promise<unknown>;
}

/** A partner that has what was pushed, and a push that has seen that. */
async function served(
  pages: Readonly<Record<string, string>> = {},
  ids: readonly string[] = ['harbour'],
  answer: 'accepts' | 'waits' = 'accepts',
) {
  const main = await mainFixture({ ...PAGES, ...pages });
  const shops: PartnerFixture[] = [];
  for (const id of ids) shops.push(await main.join(id));
  const push = async () => {
    const config = sha256(await main.site.files.read(CONFIG, 1e6));
    return main.push({ keep: { tool: TOOL, config } });
  };
  await push();
  if (answer === 'accepts') for (const shop of shops) await shop.accept();
  await push();
  const look: Served['look'] = async (request = {}, site = main.site, tool = TOOL) => {
    const last = await readLastPush(site.files, tool);
    const common = { partners: [], concurrency: 2, onProgress: () => {} };
    return last && pushUnchanged({ ...site, config: last.config }, last, { ...common, ...request });
  };
  const [shop] = shops;
  if (shop === undefined) throw new Error('there is no partner');
  return { main, shop, look, push };
}

/** Neither keys nor the lock nor the pages are touched, and nothing is written at the partner. */
function readingOnly(main: MainFixture): MainSite {
  const refuse = async (): Promise<never> => Promise.reject(new Error('nothing of this is needed'));
  const { keys } = main;
  return {
    ...main.site,
    keys: { ...keys, names: refuse, load: refuse },
    markdown: { compile: refuse },
    connect: async (partnership): Promise<FileTree> => ({
      ...(await main.site.connect(partnership)),
      list: refuse,
      write: refuse,
      stage: refuse,
      create: refuse,
      remove: refuse,
    }),
  };
}

describe('what others have written into the cache', () => {
  /** The addresses that were connected to while the cache says `to` instead of `from`. */
  async function asked(from: string, to: string): Promise<readonly (string | undefined)[]> {
    const { main, look } = await served();
    const path = '.tieup/last-push';
    const text = new TextDecoder().decode(await main.site.files.read(path, 1e6));
    expect(text).toContain(from);
    await main.site.files.write(path, Buffer.from(text.replaceAll(from, to)));
    const addresses: (string | undefined)[] = [];
    const connect: MainSite['connect'] = (partnership) => {
      addresses.push(partnership.sftp?.url, ...(partnership.sftp?.hostKeys ?? []));
      return main.site.connect(partnership);
    };
    await look({}, { ...main.site, connect });
    return addresses;
  }
  const evil = expect.stringMatching(/evil/);

  test('does not say where to log in, nor whom to believe there', async () => {
    expect(await asked('sftp://main@harbour.example/exchange', 'sftp://main@evil.example/')).not.toContainEqual(evil);
    expect(await asked('ssh-ed25519 ', 'ssh-ed25519 evil')).not.toContainEqual(evil);
    expect(await asked('sftp://main@harbour.example/exchange', 'sftp://main@evil.example/')).toHaveLength(2);
  });

  test('nor in which folders partners and keys lie', async () => {
    expect(await asked('"partners":"partners"', '"partners":".tieup"')).toEqual([]);
    expect(await asked('"keys":"keys"', '"keys":".tieup/keys"')).toEqual([]);
  });
});

describe('a push after which nothing has changed', () => {
  test('is done with the head of the inbox alone, and says what any push would say', async () => {
    const { main, shop, look } = await served();
    const before = await shop.snapshot();
    const found = await look({}, readingOnly(main));
    expect(found).toEqual({ results: await main.push(), rest: new Set(), passedOver: [], warnings: [] });
    expect(await shop.snapshot()).toEqual(before);
  });

  test('takes down that the partner was reached, and that an earlier failure is over', async () => {
    const { main, look } = await served();
    const failing = { ...main.site, connect: () => Promise.reject(new TieupError('TIEUP_E_CONNECTION', 'gone')) };
    expect(await look({}, failing)).toMatchObject({ results: [{ kind: 'failed', partner: 'harbour' }] });
    expect([...(await readUnfinished(main.site))]).toEqual(['harbour']);
    expect(await readRecord(main.site, 'harbour')).toMatchObject({ failure: { message: 'gone' } });
    main.clock.passDays(1);
    expect(await look()).toMatchObject({ results: [{ kind: 'unchanged' }] });
    expect([...(await readUnfinished(main.site))]).toEqual([]);
    expect(await readRecord(main.site, 'harbour')).toMatchObject({
      failure: null,
      lastContact: '2026-11-24T12:00:00Z',
    });
  });

  test('counts although every file has a new time', async () => {
    const { main, look } = await served();
    for (const path of Object.keys(PAGES)) {
      const bytes = await main.site.files.read(path, 1e6);
      await main.site.files.remove(path);
      await main.site.files.write(path, bytes);
    }
    expect(await look()).toMatchObject({ results: [{ kind: 'unchanged' }] });
  });

  const write = (path: string, text: string) => (given: Served) => given.main.site.files.write(path, Buffer.from(text));
  const edits: readonly [string, (given: Served) => unknown][] = [
    ['a page is edited', write('pages/index.md', '# Tea\n')],
    ['a page is added', write('pages/tea.md', '# Tea\n')],
    ['a page is gone', ({ main }) => main.remove('pages/story.md')],
    ['the template is edited', write('templates/page.html', '<html></html>')],
    ['a style sheet is edited', write('assets/style.css', 'p{}')],
    ['an asset is added', write('assets/new.css', 'p{}')],
    ['a first data file appears', write('data/shops.yaml', 'a: b\n')],
    ['a first include appears', write('includes/hours.md', 'Daily.\n')],
    ['the settings are edited', write(CONFIG, 'role: main\n')],
    ['the partner’s file is edited', ({ main }) => main.editPartner('harbour', 'harbour books', 'Harbour')],
    ['a partner is added', write('partners/mill.yaml', 'id: mill\n')],
    ['a picture lies beside the partner’s roots', write('partners/harbour/logo.png', 'no picture')],
    ['its contract is over', ({ main }) => main.editPartner('harbour', 'from: "2026-01-01"', 'from: "2027-01-01"')],
    ['the signatures in its inbox are past half of their life', ({ main }) => main.clock.passDays(8)],
    ['the clock was set back', ({ main }) => main.clock.passDays(-1)],
    ['something was pushed from another machine', ({ main }) => refresh(main.site, [], 1)],
    ['its inbox is empty', ({ shop }) => shop.remove('exchange/inbox/metadata/timestamp.json')],
    ['its inbox shows another head', ({ shop }) => shop.write('exchange/inbox/metadata/timestamp.json', '{}')],
    ['what is known of its answers is gone', ({ main }) => main.remove('.tieup/partners/harbour/record.json')],
    ['what is known of its answers is damaged', write('.tieup/partners/harbour/record.json', '{')],
    ['its keys are renewed', ({ main }) => rotateMaster(main.site, 'online')],
  ];
  for (const [what, edit] of edits) {
    test(`is looked at in full when ${what}`, async () => {
      const given = await served();
      expect(await given.look()).toMatchObject({ rest: new Set() });
      await edit(given);
      const found = await given.look();
      expect(found?.results ?? []).toEqual([]);
    });
  }

  test('is looked at in full by another version of tieup, for unknown names, and when what was kept is damaged', async () => {
    const { main, look } = await served();
    expect(await look({}, main.site, 'two')).toBeUndefined();
    expect(await look({ partners: ['nobody'] })).toBeUndefined();
    const whole = new TextDecoder().decode(await main.site.files.read('.tieup/last-push', 1e6));
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"schema":"tieup-last-push/1"}\n',
      whole.slice(0, -3),
      whole.replaceAll('"file"', '"fire"'),
    ]) {
      await main.site.files.write('.tieup/last-push', Buffer.from(text));
      expect(await look()).toBeUndefined();
    }
  });

  test('is looked at in full once a page comes by its date', async () => {
    const { main, look } = await served({
      'pages/advent.md': '---\ntitle: Advent\npublish-from: 2026-11-26\n---\n\n# Advent\n',
    });
    main.clock.passDays(2);
    expect(await look()).toMatchObject({ rest: new Set() });
    main.clock.passDays(1);
    expect(await look()).toBeUndefined();
  });
});

describe('of a partner that has not confirmed what it was sent', () => {
  const waiting = () => served({}, ['harbour'], 'waits');
  const pack = async (shop: PartnerFixture): Promise<string> => {
    const [entry] = await folderTree(shop.path('exchange/inbox/packs')).list('');
    return `exchange/inbox/packs/${entry?.name}`;
  };

  test('nothing is sent and nothing is written there while it has what it had, and has not answered', async () => {
    const { main, shop, look } = await waiting();
    const before = await shop.snapshot();
    expect(await look()).toEqual({ results: await main.push(), rest: new Set(), passedOver: [], warnings: [] });
    expect(await shop.snapshot()).toEqual(before);
  });

  const edits: readonly [string, (given: Served) => unknown][] = [
    ['it accepts', ({ shop }) => shop.accept()],
    ['it rejects', async ({ shop }) => reject(await shop.open(), 'too dear')],
    ['something else is in its outbox', ({ shop }) => shop.write('exchange/outbox/keys.note', 'no note')],
    ['a pack is gone', async ({ shop }) => shop.remove(await pack(shop))],
    ['a pack is cut short', async ({ shop }) => shop.write(await pack(shop), 'TIEUPPK1')],
    ['a target is gone', ({ shop }) => shop.remove('exchange/inbox/targets')],
    ['its metadata is gone', ({ shop }) => shop.remove('exchange/inbox/metadata/1.targets.json')],
  ];
  for (const [what, edit] of edits) {
    test(`is looked at in full when ${what}`, async () => {
      const given = await waiting();
      expect(await given.look()).toMatchObject({ rest: new Set() });
      await edit(given);
      expect((await given.look())?.results ?? []).toEqual([]);
    });
  }
});

describe('of several partners', () => {
  test('those alone are left whose inbox, file or answers are not as they were', async () => {
    const { main, look, push } = await served({}, ['alpha', 'beta', 'gamma']);
    await refresh(main.site, ['beta'], 1);
    const found = await look();
    expect(found?.results.map(({ partner, kind }) => [partner, kind])).toEqual([
      ['alpha', 'unchanged'],
      ['gamma', 'unchanged'],
    ]);
    expect(found?.rest).toEqual(new Set(['beta']));
    await push();
    expect(await look()).toMatchObject({ rest: new Set() });
  });

  test('the push that follows tells of all, and passes over whoever holds an earlier release', async () => {
    const { main, look } = await served({}, ['alpha', 'beta', 'gamma']);
    await refresh(main.site, ['beta', 'gamma'], 1);
    await keepHold(main.site, 'gamma', { release: 2, to: 1, since: '2026-11-23T12:00:00Z' });
    const found = await look();
    const pushed = await pushAll(main.site, {
      partners: [],
      message: { subject: undefined, text: undefined },
      full: false,
      concurrency: 1,
      onProgress: () => {},
      settled: found?.results,
    });
    expect(pushed.results).toMatchObject([
      { partner: 'alpha', kind: 'unchanged' },
      { partner: 'beta', kind: 'unchanged' },
    ]);
    expect(pushed.passedOver).toMatchObject([{ partner: 'gamma' }]);
  });

  test('a push to one of them leaves known what the others have', async () => {
    const { main, look } = await served({}, ['alpha', 'beta']);
    await refresh(main.site, ['beta'], 1);
    const config = sha256(await main.site.files.read(CONFIG, 1e6));
    await main.push({ partners: ['beta'], keep: { tool: TOOL, config } });
    expect(await look()).toMatchObject({ rest: new Set() });
    expect(await look({ partners: ['alpha'] })).toMatchObject({ results: [{ partner: 'alpha' }] });
  });
});
