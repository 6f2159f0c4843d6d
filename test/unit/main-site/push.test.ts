/** Pushing, over folders instead of SSH: what is sent, what is kept, what is refused. */
import { outputFolder } from '../../../src/io/output-folder.ts';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { acquireLock } from '../../../src/io/lock.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { build } from '../../../src/main-site/build.ts';
import { judgeContent } from '../../../src/main-site/judge-content.ts';
import { currentTerms } from '../../../src/main-site/current-terms.ts';
import { planFor } from '../../../src/main-site/draft-release.ts';
import { learnRemote, recall } from '../../../src/main-site/learn-remote.ts';
import { loadSite } from '../../../src/main-site/load-site.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import { plan } from '../../../src/main-site/plan.ts';
import type { PushStep } from '../../../src/main-site/push.ts';
import { refresh } from '../../../src/main-site/refresh.ts';
import { status } from '../../../src/main-site/status.ts';
import { unlock } from '../../../src/main-site/unlock.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { openRelease } from '../../../src/partner-site/open-release.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { lockedKeys } from '../../support/memory-keys.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { mainFixture, type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { snapshotOf } from '../../support/snapshot.ts';

const INDEX = 'pages/index.md';
const page = (text: string): string => `---\ntitle: Our coffee\n---\n\n# ${text}\n`;

/** As the main site sees it. */
const exchangeOf = async (main: MainFixture): Promise<FileTree> =>
  main.site.connect(await loadPartnership(main.site, 'harbour'));

describe('a push', () => {
  test('brings a release that the partner can open, and tells step by step what it does', async () => {
    const main = await mainFixture();
    const shop = await main.join();
    const steps: PushStep[] = [];
    const [result] = await main.push({ onProgress: (_partner, step) => void steps.push(step) });
    expect(result).toMatchObject({ kind: 'pushed', partner: 'harbour', release: 1, sentObjects: 4 });
    expect(steps.map(({ kind }) => kind)).toEqual(['connecting', 'planned', 'sent', 'done']);
    const opened = await openRelease(await shop.open(), undefined);
    expect(opened.releaseDigest).toBe(result?.kind === 'pushed' ? result.releaseDigest : '');
    expect(opened.release).toMatchObject({
      partner: 'harbour',
      release: 1,
      base: null,
      created: '2026-11-23T12:00:00Z',
    });
    expect(readdirSync(shop.path('exchange/inbox'))).not.toContain('lock');
  });

  test('a second time changes no file at the partner', async () => {
    const { main, shop } = await partnership();
    const before = await shop.snapshot();
    expect(await main.push()).toEqual([
      {
        kind: 'unchanged',
        partner: 'harbour',
        release: 1,
        releaseDigest: (await main.pushedBefore()).releaseDigest,
        troubles: [],
      },
    ]);
    expect(await shop.snapshot()).toEqual(before);
    main.clock.passDays(3);
    expect(await main.push()).toMatchObject([{ kind: 'unchanged' }]);
    expect(await shop.snapshot()).toEqual(before);
  });

  test('with nothing new signs the metadata again once it is past half of its life', async () => {
    const { main, shop } = await partnership();
    main.clock.passDays(8);
    expect(await main.push()).toMatchObject([{ kind: 'unchanged', release: 1 }]);
    main.clock.passDays(8);
    const opened = await openRelease(await shop.open(), undefined);
    expect(opened.release.release).toBe(1);
  });

  test('of one changed page sends that page alone, over the release before', async () => {
    const { main, shop } = await partnership();
    const first = await main.pushedBefore();
    await main.write(INDEX, page('Changed'));
    expect(await main.pushed()).toMatchObject({
      release: 2,
      sentObjects: 1,
      plan: { changed: ['with-main/index.html'] },
    });
    const { release } = await openRelease(await shop.open(), undefined);
    expect(release.base).toEqual({ release: 1, targets: first.releaseDigest });
    expect(release.files.map(({ since }) => since)).toEqual([1, 2, 1, 1]);
  });

  test('--full sends everything again although nothing has changed, for a partner that lost its inbox', async () => {
    const { main, shop } = await partnership();
    await shop.remove('exchange/inbox/packs');
    await expect(openRelease(await shop.open(), undefined)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    const [result] = await main.push({ full: true });
    expect(result).toMatchObject({ kind: 'pushed', release: 2, sentObjects: 4, plan: { differs: false } });
    expect((await openRelease(await shop.open(), undefined)).release).toMatchObject({
      release: 2,
      message: { subject: 'Northwind Coffee: same pages' },
    });
  });

  test('carries the message that it was given, or one made from what changes, and until when an answer is wanted', async () => {
    const { main, shop } = await partnership();
    const message = async () => (await openRelease(await shop.open(), undefined)).release;
    expect(await message()).toMatchObject({
      message: { subject: 'Northwind Coffee: 4 new', text: '' },
      confirmBy: '2026-12-07T12:00:00Z',
    });
    await main.write(INDEX, page('Autumn'));
    await main.push({ message: { subject: 'Autumn', text: 'New prices.' } });
    expect((await message()).message).toEqual({ subject: 'Autumn', text: 'New prices.' });
    const configured: MainSite = {
      ...main.site,
      config: { ...main.site.config, message: { subject: 'From the file', text: 'Always.' } },
    };
    await main.write(INDEX, page('Winter'));
    await main.push({ message: { subject: undefined, text: 'Snow.' } }, configured);
    expect((await message()).message).toEqual({ subject: 'From the file', text: 'Snow.' });
  });

  test('brings changed terms although every page is the same', async () => {
    const { main, shop } = await partnership();
    await main.editPartner('harbour', 'mount: /with-main/', 'mount: /with-main/\npolicy:\n  search: noindex');
    expect(await main.pushed()).toMatchObject({ release: 2 });
    expect((await openRelease(await shop.open(), undefined)).terms.policy.search).toBe('noindex');
  });

  test.each([
    ['a small asset', 'in a pack', 100],
    ['a large asset', 'as a stream', 17 * 1024 * 1024],
  ])(
    'of %s, which travels %s, is broken off when it is edited meanwhile, and nothing of it can be seen',
    async (_what, _how, length) => {
      const { main, shop } = await partnership();
      const before = (await main.pushedBefore()).releaseDigest;
      await main.write('assets/map.bin', Buffer.alloc(length, 1).toString('latin1'));
      const [result] = await main.push({
        onProgress: (_partner, { kind }) => {
          if (kind === 'planned') writeFileSync(join(main.folder, 'assets/map.bin'), Buffer.alloc(length, 2));
        },
      });
      expect(result).toMatchObject({ kind: 'failed', error: { code: 'TIEUP_E_DRIFT' } });
      expect(result?.kind === 'failed' && result.error.message).toContain('assets/map.bin');
      expect((await openRelease(await shop.open(), undefined)).releaseDigest).toBe(before);
      expect(readdirSync(shop.path('exchange/inbox'), { recursive: true }).join()).not.toMatch(/tmp|lock/);
      expect(await main.pushed()).toMatchObject({ release: 2, sentObjects: 1 });
      const { release } = await openRelease(await shop.open(), undefined);
      expect(release.files.map(({ path }) => path)).toContain('with-main/assets/map.bin');
    },
  );

  test('needs the release key and the online key, never the root, and asks for them before it connects', async () => {
    const { main, shop } = await partnership();
    main.keys.opened.length = 0;
    await main.write(INDEX, page('Changed'));
    await main.pushed();
    expect(new Set(main.keys.opened)).toEqual(new Set(['release', 'online']));
    const before = await shop.snapshot();
    const connected: string[] = [];
    const locked: MainSite = {
      ...main.site,
      keys: lockedKeys(main.keys, ['online']),
      connect: async (partner) => {
        connected.push(partner.id);
        return main.site.connect(partner);
      },
    };
    await main.write(INDEX, page('Again'));
    expect(await main.push({}, locked)).toMatchObject([{ kind: 'failed', error: { exitCode: 4 } }]);
    expect(connected).toEqual([]);
    expect(await shop.snapshot()).toEqual(before);
  });
});

describe('what a push leaves in the inbox', () => {
  const inbox = (shop: PartnerFixture, folder: string) => readdirSync(shop.path(`exchange/inbox/${folder}`));

  test('is every pack that somebody may still need: the base has not been accepted', async () => {
    const { main, shop } = await partnership();
    for (const text of ['Second', 'Third']) {
      await main.write(INDEX, page(text));
      await main.pushed();
    }
    expect(inbox(shop, 'packs')).toHaveLength(3);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    expect((await shop.live())['with-main/index.html']).toContain('Third');
  });

  test('is every pack after a rejection, which is no receipt', async () => {
    const { main, shop } = await partnership();
    await reject(await shop.open(), 'no');
    await main.write(INDEX, page('Second'));
    await main.pushed();
    expect(inbox(shop, 'packs')).toHaveLength(2);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('is only what is new once the receipt for the base is there', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const old = inbox(shop, 'packs');
    await main.write(INDEX, page('Second'));
    await main.pushed();
    expect(inbox(shop, 'packs')).toHaveLength(1);
    expect(inbox(shop, 'packs')).not.toEqual(old);
    expect(inbox(shop, 'targets')).toHaveLength(3);
    await shop.accept();
    expect(Object.keys(await shop.live())).toContain('with-main/visit.html');
  });

  test('is metadata of this release and the one before', async () => {
    const { main, shop } = await partnership();
    for (const text of ['Second', 'Third', 'Fourth']) {
      await main.write(INDEX, page(text));
      await main.pushed();
    }
    expect(inbox(shop, 'metadata').toSorted()).toEqual([
      '1.root.json',
      '3.snapshot.json',
      '3.targets.json',
      '4.snapshot.json',
      '4.targets.json',
      'timestamp.json',
    ]);
  });

  test('is nothing that a killed push left half-written', async () => {
    const { main, shop } = await partnership();
    for (const place of ['packs', 'metadata', 'targets'])
      await shop.write(`exchange/inbox/${place}/.tieup-tmp-0123456789abcdef`, 'half');
    await main.write(INDEX, page('Second'));
    await main.pushed();
    const names = readdirSync(shop.path('exchange/inbox'), { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.includes('tmp'))).toEqual([]);
  });
});

describe('what is missing in the inbox', () => {
  const packs = 'exchange/inbox/packs';

  /** What the partner's side needs is there again: it accepts, and all pages are live. */
  async function expectAccepted(shop: PartnerFixture, text = 'Our coffee'): Promise<void> {
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    const live = await shop.live();
    expect(Object.keys(live)).toContain('with-main/visit.html');
    expect(live['with-main/index.html']).toContain(text);
  }

  test.each<readonly [string, (shop: PartnerFixture) => Promise<void>]>([
    ['removed', (shop) => shop.remove(packs)],
    [
      'cut short',
      async (shop) => {
        const [name = ''] = readdirSync(shop.path(packs));
        writeFileSync(shop.path(`${packs}/${name}`), readFileSync(shop.path(`${packs}/${name}`)).subarray(0, -1));
      },
    ],
    [
      'replaced by no pack',
      async (shop) => {
        const [name = ''] = readdirSync(shop.path(packs));
        writeFileSync(shop.path(`${packs}/${name}`), 'not a pack');
      },
    ],
  ])('is sent again by a push that finds nothing new: a pack was %s', async (_what, damage) => {
    const { main, shop } = await partnership();
    const before = await shop.snapshot();
    await damage(shop);
    await expect(openRelease(await shop.open(), undefined)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    expect(await main.push()).toMatchObject([{ kind: 'repaired', release: 1, sentObjects: 4, troubles: [] }]);
    expect(await shop.snapshot()).toEqual(before);
    expect(await main.push()).toMatchObject([{ kind: 'unchanged' }]);
    await expectAccepted(shop);
  });

  test('is found by a machine that knows nothing of the push before', async () => {
    const { main, shop } = await partnership();
    await shop.remove(packs);
    rmSync(join(main.folder, '.tieup'), { recursive: true });
    expect(await main.push()).toMatchObject([{ kind: 'repaired', release: 1, sentObjects: 4 }]);
    await expectAccepted(shop);
  });

  test('is sent with what is new: of two packs that nobody fetched the first is gone', async () => {
    const { main, shop } = await partnership();
    const [first = ''] = readdirSync(shop.path(packs));
    await main.write(INDEX, page('Second'));
    await main.pushed();
    await shop.remove(`${packs}/${first}`);
    await main.write(INDEX, page('Third'));
    // Three pages and files of the first release, and the new page; the second release's is not wanted any more.
    expect(await main.pushed()).toMatchObject({ release: 3, sentObjects: 4 });
    await expectAccepted(shop, 'Third');
  });

  test('is not what the partner has already: after its receipt only what came since is looked for', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await main.write(INDEX, page('Second'));
    expect(await main.pushed()).toMatchObject({ sentObjects: 1 });
    await shop.remove(packs);
    expect(await main.push()).toMatchObject([{ kind: 'repaired', release: 2, sentObjects: 1 }]);
    await expectAccepted(shop, 'Second');
    await shop.remove(packs);
    expect(await main.push()).toMatchObject([{ kind: 'unchanged', release: 2 }]);
  });

  test('is a large asset as well, which travels alone', async () => {
    const { main, shop } = await partnership();
    await main.write('assets/map.bin', 'x'.repeat(17 * 1024 * 1024));
    await main.pushed();
    await shop.remove('exchange/inbox/objects');
    expect(await main.push()).toMatchObject([{ kind: 'repaired', sentObjects: 1 }]);
    await expectAccepted(shop);
  });

  test.each(['metadata/1.targets.json', 'metadata/1.snapshot.json', 'targets'])(
    'is %s: then the release is signed anew, under the next number',
    async (path) => {
      const { main, shop } = await partnership();
      await shop.remove(`exchange/inbox/${path}`);
      expect(await main.push()).toMatchObject([{ kind: 'pushed', release: 2, sentObjects: 0 }]);
      await expectAccepted(shop);
    },
  );

  test('is signed anew as well when the partner has it all, but the metadata is to be refreshed and gone', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await main.push();
    await shop.remove('exchange/inbox/metadata/1.targets.json');
    main.clock.passDays(8);
    expect(await main.push()).toMatchObject([{ kind: 'pushed', release: 2, sentObjects: 0 }]);
    await expectAccepted(shop);
  });

  test('is not looked for once the receipt is known: a push with nothing new reads one file', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await main.push();
    const asked: string[] = [];
    const connect: MainSite['connect'] = async (partner) => {
      const tree = await main.site.connect(partner);
      return {
        ...tree,
        list: (path, options) => (asked.push(path), tree.list(path, options)),
        read: (path, maxLength) => (asked.push(path), tree.read(path, maxLength)),
      };
    };
    expect(await main.push({}, { ...main.site, connect })).toMatchObject([{ kind: 'unchanged' }]);
    expect(new Set(asked)).toEqual(new Set(['inbox/metadata/timestamp.json']));
  });
});

describe('a push to a partner whose answer cannot be read', () => {
  test.each(['decision.note', 'receipt.note', 'keys.note'])(
    'is committed all the same, and says so: %s is garbage',
    async (name) => {
      const { main, shop } = await partnership();
      await shop.write(`exchange/outbox/${name}`, 'garbage\n');
      await main.write(INDEX, page('Second'));
      const result = await main.pushed();
      expect(result).toMatchObject({ release: 2, troubles: [{ kind: 'answer', error: { code: 'TIEUP_E_VERIFY' } }] });
      expect(await main.push()).toMatchObject([{ kind: 'unchanged', release: 2, troubles: [{ kind: 'answer' }] }]);
      expect(readdirSync(shop.path('exchange/inbox/packs'))).toHaveLength(2);
      await shop.remove(`exchange/outbox/${name}`);
      expect(await shop.accept()).toMatchObject({ kind: 'live' });
      expect(await main.push()).toMatchObject([{ kind: 'unchanged', troubles: [] }]);
    },
  );

  test.each<readonly [string, keyof FileTree, RegExp]>([
    ['the old metadata cannot be removed', 'remove', /targets\.json$/],
    ['the lock cannot be taken away', 'remove', /lock$/],
  ])('or whose line breaks after the commit point is no failure: %s', async (_what, verb, path) => {
    const { main, shop } = await partnership();
    for (const text of ['Second', 'Third']) {
      await main.write(INDEX, page(text));
      await main.pushed();
    }
    await main.write(INDEX, page('Fourth'));
    const connect: MainSite['connect'] = async (partner) => {
      const tree = await main.site.connect(partner);
      const broken = async (at: string): Promise<void> => {
        if (path.test(at)) throw new TieupError('TIEUP_E_CONNECTION', 'the line broke');
        return tree.remove(at);
      };
      return { ...tree, [verb]: broken };
    };
    expect(await main.push({}, { ...main.site, connect })).toMatchObject([
      { kind: 'pushed', release: 4, troubles: [{ kind: 'tidying', error: { message: 'the line broke' } }] },
    ]);
    expect((await openRelease(await shop.open(), undefined)).release.release).toBe(4);
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'pending', pushed: 4 }]);
  });
});

describe('a release that the terms forbid', () => {
  const SCRIPT = '---\ntitle: Our coffee\n---\n\n# Hello\n';
  const template = (head: string): string =>
    `<!doctype html>\n<html lang="en"><head><title>{{ page.title }}</title>${head}</head>\n<body><slot name="content"></slot></body></html>\n`;

  test('is refused by build, plan and push before anything is sent, with every page and why', async () => {
    const { main, shop } = await partnership();
    const before = await shop.snapshot();
    await main.write(
      'templates/page.html',
      template('<script>alert(1)</script><img src="https://cdn.example/x.png" alt="">'),
    );
    const refusal = {
      code: 'TIEUP_E_CONTENT',
      exitCode: 78,
      message: 'the terms of harbour do not allow what its release contains',
    };
    const [result] = await main.push();
    expect(result).toMatchObject({ kind: 'failed', error: refusal });
    const problems = result?.kind === 'failed' ? result.error.problems : [];
    expect(problems.map(({ file, message }) => [file, message])).toEqual(
      ['index', 'story', 'visit'].flatMap((name) => [
        [`with-main/${name}.html`, expect.stringContaining('the terms allow no scripts')],
        [`with-main/${name}.html`, expect.stringContaining('the terms do not name https://cdn.example')],
      ]),
    );
    expect((await plan(main.site, { partners: [], concurrency: 1 })).plans).toMatchObject([
      { kind: 'failed', error: { ...refusal, problems } },
    ]);
    const out = memoryTree('out');
    await expect(build(main.site, [], { files: out, folder: outputFolder(out.label) })).rejects.toMatchObject(refusal);
    expect(await out.list('')).toEqual([]);
    expect(await shop.snapshot()).toEqual(before);
  });

  test('is sent to the partners whose terms allow it', async () => {
    const main = await mainFixture();
    await main.join('alpha', { partnership: 'policy:\n  scripts: own\n' });
    await main.join('beta');
    await main.write('assets/app.js', 'alert(1)\n');
    expect(await main.push()).toMatchObject([
      { kind: 'pushed', partner: 'alpha' },
      { kind: 'failed', partner: 'beta', error: { problems: [{ file: 'with-main/assets/app.js' }] } },
    ]);
  });

  test('is judged again as a whole when the terms become stricter', async () => {
    const { main } = await partnership({ partnership: 'policy:\n  scripts: own\n' });
    await main.write('assets/app.js', 'alert(1)\n');
    await main.pushed();
    await main.write(INDEX, SCRIPT);
    await main.pushed();
    await main.editPartner('harbour', 'scripts: own', 'scripts: none');
    expect(await main.push()).toMatchObject([
      { kind: 'failed', error: { problems: [{ file: 'with-main/assets/app.js' }] } },
    ]);
  });

  test('costs nothing where nothing is new: no file is looked into', async () => {
    const { main } = await partnership({ partnership: 'policy:\n  scripts: own\n' });
    await main.write('assets/app.js', 'alert(1)\n');
    await main.pushed();
    const { base } = (await recall(main.site, 'harbour')) ?? {};
    const read: string[] = [];
    const files: FileTree = {
      ...main.site.files,
      read: (path, maxLength) => (read.push(path), main.site.files.read(path, maxLength)),
    };
    const partner = await loadPartnership(main.site, 'harbour');
    const remote = await learnRemote(main.site, partner, await main.site.connect(partner));
    const terms = await currentTerms(main.site, partner);
    const planned = await planFor(
      main.site,
      await loadSite(main.site, main.clock.now()),
      partner,
      remote,
      terms.digest,
    );
    const active = await judgeContent({ ...main.site, files }, partner, planned, base);
    expect(active).toEqual([expect.stringMatching(/^[0-9a-f]{64} with-main\/assets\/app\.js$/)]);
    expect(read).toEqual([]);
    expect(await judgeContent({ ...main.site, files }, partner, planned, undefined)).toEqual(active);
    // That the style sheet is harmless was found out in this run.
    expect(read).toEqual(['assets/app.js']);
  });
});

describe('a push to several partners', () => {
  /** The exchange of `id` cannot be reached. */
  function without(main: MainFixture, id: string): MainSite {
    const connect: MainSite['connect'] = async (partner) => {
      if (partner.id === id) throw new TieupError('TIEUP_E_CONNECTION', 'the server is gone');
      return main.site.connect(partner);
    };
    return { ...main.site, connect };
  }

  test('goes on when one of them fails, and says which', async () => {
    const main = await mainFixture();
    const [alpha, beta] = [await main.join('alpha'), await main.join('beta')];
    const before = await beta.snapshot();
    expect(await main.push({}, without(main, 'beta'))).toMatchObject([
      { partner: 'alpha', kind: 'pushed' },
      { partner: 'beta', kind: 'failed', error: { code: 'TIEUP_E_CONNECTION' } },
    ]);
    expect(await alpha.accept()).toMatchObject({ kind: 'live' });
    expect(await beta.snapshot()).toEqual(before);
    expect(await main.push()).toMatchObject([{ kind: 'unchanged' }, { kind: 'pushed' }]);
  });

  test('forgets a failure as soon as the partner is found up to date', async () => {
    const { main } = await partnership();
    await main.push({}, without(main, 'harbour'));
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'failed', detail: 'the server is gone' }]);
    await main.push();
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'pending', detail: null }]);
  });

  test('a plan that fails is no failure of the push before', async () => {
    const { main } = await partnership();
    expect((await plan(without(main, 'harbour'), { partners: [], concurrency: 1 })).plans).toMatchObject([
      { kind: 'failed' },
    ]);
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'pending' }]);
  });

  test('takes ids and tags, and knows what was meant by a misspelt one', async () => {
    const main = await mainFixture();
    await main.join('alpha', { partnership: 'tags: [shops]\n' });
    await main.join('beta', { partnership: 'tags: [shops]\n' });
    await main.join('gamma');
    expect((await main.push({ partners: ['shops'] })).map(({ partner }) => partner)).toEqual(['alpha', 'beta']);
    expect((await main.push({ partners: ['gamma', 'shops'] })).map(({ kind }) => kind)).toEqual([
      'unchanged',
      'unchanged',
      'pushed',
    ]);
    await expect(main.push({ partners: ['gama'] })).rejects.toMatchObject({
      code: 'TIEUP_E_USAGE',
      message: 'there is no partner and no tag "gama"',
      hint: 'did you mean "gamma"?',
    });
  });

  test('gives every partner a release of its own that no other one opens', async () => {
    const main = await mainFixture();
    const [alpha, beta] = [await main.join('alpha'), await main.join('beta')];
    await main.push();
    await beta.remove('exchange/inbox');
    await cp(alpha.path('exchange/inbox'), beta.path('exchange/inbox'), { recursive: true });
    await expect(openRelease(await beta.open(), undefined)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
  });
});

describe('a push outside the contract', () => {
  test.each([
    ['suspended', 'status: active', 'status: suspended'],
    ['ended', 'status: active', 'status: ended'],
    ['over', 'from: "2026-01-01"', 'from: "2026-01-01"\n  until: "2026-11-22"'],
    ['not yet begun', 'from: "2026-01-01"', 'from: "2026-11-24"'],
  ])('that is %s ends with 11, and nothing is sent or asked for', async (_what, from, to) => {
    const { main, shop } = await partnership();
    await main.write(INDEX, page('Changed'));
    await main.editPartner('harbour', from, to);
    main.keys.opened.length = 0;
    const before = await shop.snapshot();
    const [result] = await main.push();
    expect(result).toMatchObject({ kind: 'failed', error: { code: 'TIEUP_E_CONTRACT', exitCode: 11 } });
    expect(main.keys.opened).toEqual([]);
    expect(await shop.snapshot()).toEqual(before);
  });

  test('works to the end of its last day', async () => {
    const { main } = await partnership();
    await main.write(INDEX, page('Changed'));
    await main.editPartner('harbour', 'from: "2026-01-01"', 'from: "2026-01-01"\n  until: "2026-11-23"');
    main.clock.set(new Date('2026-11-23T23:59:59Z'));
    expect(await main.pushed()).toMatchObject({ release: 2 });
  });
});

describe('two pushes at the same time', () => {
  const other = { who: 'other@elsewhere', id: 'other', host: 'elsewhere', pid: 77 };

  const lockedBy = async (exchange: FileTree, main: MainFixture, owner = other) =>
    acquireLock(exchange, 'inbox/lock', owner, main.clock);

  test('do not mix: the second ends with 7 and changes nothing', async () => {
    const { main, shop } = await partnership();
    const exchange = await exchangeOf(main);
    const lock = await lockedBy(exchange, main);
    await main.write(INDEX, page('Changed'));
    const before = await shop.snapshot();
    const [refused] = await main.push();
    expect(refused).toMatchObject({ kind: 'failed', error: { code: 'TIEUP_E_LOCKED', exitCode: 7 } });
    expect(refused?.kind === 'failed' && refused.error.message).toContain('other@elsewhere');
    expect(await shop.snapshot()).toEqual(before);
    // It is no failure of the partner.
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'pending' }]);
    expect(await refresh(main.site, [], 1)).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_LOCKED' } }]);
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'pending' }]);
    await lock.release();
    expect(await main.pushed()).toMatchObject({ release: 2 });
  });

  test('an old lock of another machine is waited for until its time is over', async () => {
    const { main } = await partnership();
    await lockedBy(await exchangeOf(main), main);
    await main.write(INDEX, page('Changed'));
    main.clock.set(new Date('2026-11-23T12:29:00Z'));
    expect(await main.push()).toMatchObject([{ kind: 'failed', error: { exitCode: 7 } }]);
    main.clock.set(new Date('2026-11-23T12:30:00Z'));
    expect(await main.pushed()).toMatchObject({ release: 2 });
  });

  test('the lock of a killed process of this machine is taken over at once, that of a living one is not', async () => {
    const { main } = await partnership();
    const exchange = await exchangeOf(main);
    await main.write(INDEX, page('Changed'));
    const mine = { ...main.site.owner, id: 'before' };
    const lock = await lockedBy(exchange, main, { ...mine, pid: 1 });
    expect(await main.push()).toMatchObject([{ kind: 'failed', error: { exitCode: 7 } }]);
    await lock.release();
    await lockedBy(exchange, main, { ...mine, pid: 2 });
    expect(await main.pushed()).toMatchObject({ release: 2 });
  });

  test('tieup unlock takes any lock away, and says whose it was', async () => {
    const { main } = await partnership();
    expect(await unlock(main.site, 'harbour')).toBeUndefined();
    await lockedBy(await exchangeOf(main), main);
    expect(await unlock(main.site, 'harbour')).toMatchObject({ who: 'other@elsewhere' });
    await main.write(INDEX, page('Changed'));
    expect(await main.pushed()).toMatchObject({ release: 2 });
  });
});

describe('a plan', () => {
  test('passes over who has not joined yet and says so; who is named gets an answer', async () => {
    const { main } = await partnership();
    await main.join('lighthouse');
    await main.editPartner('lighthouse', 'status: active', 'status: invited');
    const passedOver = [{ partner: 'lighthouse', why: 'lighthouse has not joined yet' }];
    expect(await plan(main.site, { partners: [], concurrency: 1 })).toMatchObject({
      plans: [{ kind: 'planned', partner: 'harbour' }],
      passedOver,
    });
    expect(await plan(main.site, { partners: ['lighthouse'], concurrency: 1 })).toMatchObject({
      plans: [{ kind: 'failed', error: { code: 'TIEUP_E_CONTRACT' } }],
      passedOver: [],
    });
    await main.editPartner('harbour', 'status: active', 'status: invited');
    expect(await plan(main.site, { partners: [], concurrency: 1 })).toMatchObject({
      plans: [],
      passedOver: [{ partner: 'harbour' }, ...passedOver],
    });
  });

  test('says what a push would do, byte for byte, and changes nothing anywhere', async () => {
    const { main, shop } = await partnership();
    await main.write(INDEX, page('Changed'));
    await main.write('pages/events.md', page('Events'));
    await main.remove('pages/story.md');
    const state = async () => {
      // What has once been rendered is remembered, which changes nothing but the time that it takes.
      const { 'partners/harbour/outputs': _outputs, ...kept } = await snapshotOf(join(main.folder, '.tieup'));
      return [await shop.snapshot(), kept];
    };
    const before = await state();
    const [planned] = (await plan(main.site, { partners: [], concurrency: 1 })).plans;
    if (planned?.kind !== 'planned') throw new Error('there is no plan');
    expect(planned).toMatchObject({ partner: 'harbour', base: 1, plan: { number: 2, differs: true } });
    expect(await state()).toEqual(before);
    expect(planned.planned).toMatchObject({
      base: { release: 1 },
      added: [{ path: 'with-main/events.html' }],
      changed: [{ path: 'with-main/index.html' }],
      removed: [{ path: 'with-main/story.html' }],
    });
    await main.pushed();
    const { release } = await main.pushedBefore();
    expect(sha256(JSON.stringify(release.files))).toBe(planned.planned.files);
    expect((await plan(main.site, { partners: [], concurrency: 1 })).plans).toMatchObject([
      { kind: 'planned', base: 2, plan: { differs: false } },
    ]);
  });
});
