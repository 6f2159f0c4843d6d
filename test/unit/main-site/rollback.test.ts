/** Bringing a partner an earlier release again: the same bytes under a new number, or nothing at all. */
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { sourcesLength } from '../../../src/main-site/kept-sources.ts';
import { resume } from '../../../src/main-site/partner-admin.ts';
import { plan } from '../../../src/main-site/plan.ts';
import { pushAll } from '../../../src/main-site/push-all.ts';
import { pushDue } from '../../../src/main-site/push-due.ts';
import { readRecord } from '../../../src/main-site/record.ts';
import { rollbackTo, type RollbackRequest } from '../../../src/main-site/rollback.ts';
import { status } from '../../../src/main-site/status.ts';
import { recall } from '../../../src/main-site/learn-remote.ts';
import { mainFixture, PAGES, partnership, type MainFixture } from '../../support/partnership-fixture.ts';

const page = (text: string): string => `---\ntitle: Our coffee\n---\n\n# ${text}\n`;

const request = (changes: Partial<RollbackRequest> = {}): RollbackRequest => ({
  partner: 'harbour',
  message: { subject: undefined, text: undefined },
  onProgress: () => {},
  ...changes,
});

async function digests(main: MainFixture, partner = 'harbour'): Promise<readonly string[]> {
  const known = await recall(main.site, partner);
  return known?.base.release.files.map(({ path, digest }) => `${digest} ${path}`) ?? [];
}

async function threeReleases(): Promise<Awaited<ReturnType<typeof partnership>>> {
  const both = await partnership();
  const { main } = both;
  for (const text of ['Second', 'Third']) {
    await main.write('pages/index.md', page(text));
    await main.write('assets/style.css', `main { color: ${text} }\n`);
    await main.pushed();
  }
  return both;
}

describe('rolling back', () => {
  test('brings the release before under a new number, byte for byte, and the partner accepts it', async () => {
    const { main, shop } = await threeReleases();
    const wanted = await shop.accept().then(async () => {
      await main.write('pages/index.md', page('A mistake'));
      const before = await digests(main);
      await main.pushed();
      return before;
    });
    const { result, to } = await rollbackTo(main.site, request());
    expect(result).toMatchObject({ kind: 'pushed', release: 5, troubles: [] });
    expect(to).toBe(3);
    expect(await digests(main)).toEqual(wanted);
    await shop.accept();
    expect((await shop.live())['with-main/index.html']).toContain('Third');
    const { entries } = await main.site.history.read();
    expect(entries.findLast(({ action }) => action === 'rollback')).toMatchObject({ partner: 'harbour', release: 5 });
  });

  test('goes further back each time, and to the release that is named', async () => {
    const { main } = await threeReleases();
    expect(await rollbackTo(main.site, request())).toMatchObject({ to: 2, result: { release: 4 } });
    expect(await rollbackTo(main.site, request())).toMatchObject({ to: 1, result: { release: 5 } });
    expect(await rollbackTo(main.site, request({ to: 3 }))).toMatchObject({ to: 3, result: { release: 6 } });
    // A release that went back can be gone back to as well.
    expect(await rollbackTo(main.site, request({ to: 4 }))).toMatchObject({ to: 2, result: { release: 7 } });
  });

  test('says in its message where it went, and once it is resumed a push brings the pages of now again', async () => {
    const { main } = await threeReleases();
    await rollbackTo(main.site, request());
    const known = await recall(main.site, 'harbour');
    expect(known?.base.release.message.subject).toBe('Northwind Coffee: back to release 2');
    const { plans } = await plan(main.site, { partners: ['harbour'], concurrency: 1 });
    expect(plans[0]).toMatchObject({ kind: 'planned', plan: { differs: true } });
    await resume(main.site, 'harbour');
    expect(await main.pushed()).toMatchObject({ release: 5 });
  });

  test('uses the values of the partner as they were then', async () => {
    const { main } = await partnership();
    const wanted = await digests(main);
    await main.editPartner('harbour', 'name: harbour books', 'name: Harbour & Sons');
    await main.pushed();
    await rollbackTo(main.site, request());
    expect(await digests(main)).toEqual(wanted);
  });

  test('shows the pictures of the partner as they were then', async () => {
    const main = await mainFixture({
      ...PAGES,
      'templates/page.html':
        PAGES['templates/page.html']?.replace('<main>', '<main><img src="{{ partner.logo }}">') ?? '',
    });
    const logo = (width: number): string =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="24"></svg>`;
    await main.write('partners/harbour/logo.svg', logo(1));
    const shop = await main.join('harbour', { partnership: 'images:\n  logo: logo.svg\n' });
    await main.pushed();
    const wanted = await digests(main);
    await main.write('partners/harbour/logo.svg', logo(2));
    await main.pushed();
    await rollbackTo(main.site, request());
    expect(await digests(main)).toEqual(wanted);
    await shop.accept();
    expect(Object.values(await shop.live())).toContain(logo(1));
    // What the newest releases of no partner need goes, these pictures do not.
    await resume(main.site, 'harbour');
    main.clock.passDays(3);
    await main.write('pages/index.md', page('Later'));
    await main.pushed();
    expect(await rollbackTo(main.site, request({ to: 1 }))).toMatchObject({ to: 1 });
    expect(await digests(main)).toEqual(wanted);
  });
});

describe('what was rolled back is held', () => {
  test('against a push of its name, against one of all, and against a schedule; nothing is changed', async () => {
    const { main, shop } = await threeReleases();
    await rollbackTo(main.site, request());
    const before = await shop.snapshot();
    const record = await readRecord(main.site, 'harbour');
    const refused = [{ kind: 'failed', error: { code: 'TIEUP_E_HELD', exitCode: 6 } }];
    expect(await main.push({ partners: ['harbour'] })).toMatchObject(refused);
    expect(await main.push({ full: true })).toMatchObject(refused);
    expect(await readRecord(main.site, 'harbour')).toEqual(record);
    await main.editPartner('harbour', /$/, 'schedule:\n  at: "* * * * *"\n  timezone: UTC\n');
    main.clock.passDays(1);
    const due = { partners: [], message: request().message, full: false, concurrency: 1, onProgress: () => {} };
    expect((await pushDue(main.site, due)).pushed.results).toEqual([]);
    expect(await shop.snapshot()).toEqual(before);
    expect(await status(main.site, [], 1)).toMatchObject([
      { warnings: [expect.stringContaining('tieup partner resume harbour')] },
    ]);
    await resume(main.site, 'harbour');
    expect((await pushDue(main.site, due)).pushed.results).toMatchObject([{ kind: 'pushed' }]);
  });

  test('while others get what is new; whoever is not named is passed over, and told why', async () => {
    const { main } = await threeReleases();
    await main.join('alpha');
    await rollbackTo(main.site, request());
    const { results, passedOver } = await pushAll(main.site, {
      partners: [],
      message: request().message,
      full: false,
      concurrency: 1,
      onProgress: () => {},
    });
    expect(results).toMatchObject([{ kind: 'pushed', partner: 'alpha' }]);
    expect(passedOver).toEqual([
      {
        partner: 'harbour',
        why: expect.stringMatching(/holds the pages of release 2 .*: tieup partner resume harbour$/),
      },
    ]);
  });

  test('until it is resumed, which is all that resuming does', async () => {
    const { main } = await threeReleases();
    await expect(resume(main.site, 'harbour')).rejects.toMatchObject({ code: 'TIEUP_E_CONTRACT' });
    await rollbackTo(main.site, request());
    expect(await rollbackTo(main.site, request())).toMatchObject({ to: 1 });
    expect((await resume(main.site, 'harbour')).partnership.status).toBe('active');
    await expect(resume(main.site, 'harbour')).rejects.toMatchObject({ code: 'TIEUP_E_CONTRACT' });
    expect(await main.pushed()).toMatchObject({ kind: 'pushed' });
  });
});

describe('is refused, and nothing is pushed,', () => {
  /** The code of the refusal; undefined where something was done all the same. */
  async function refusal(main: MainFixture, changes: Partial<RollbackRequest> = {}): Promise<string | undefined> {
    const before = await recall(main.site, 'harbour');
    const code = await rollbackTo(main.site, request(changes)).then(
      () => undefined,
      (error: unknown) => (error instanceof TieupError ? error.code : undefined),
    );
    expect(await recall(main.site, 'harbour')).toEqual(before);
    expect(await main.site.files.list('.tieup/rollback')).toEqual([]);
    return code;
  }

  test('where there is no earlier release', async () => {
    const { main } = await partnership();
    expect(await refusal(main)).toBe('TIEUP_E_NOT_FOUND');
    expect(await refusal(main, { to: 1 })).toBe('TIEUP_E_USAGE');
  });

  test('where nothing was pushed yet', async () => {
    const main = await mainFixture();
    await main.join();
    await expect(rollbackTo(main.site, request())).rejects.toMatchObject({ code: 'TIEUP_E_USAGE' });
  });

  test('where what it was made of is gone', async () => {
    const { main } = await threeReleases();
    for (const { name } of await main.site.files.list('.tieup/sources'))
      if (name.endsWith('.json')) await main.site.files.remove(`.tieup/sources/${name}`);
    expect(await refusal(main)).toBe('TIEUP_E_NOT_FOUND');
  });

  test('where what is kept was altered', async () => {
    const { main } = await threeReleases();
    for (const { name } of await main.site.files.list('.tieup/sources/packs')) {
      const path = `.tieup/sources/packs/${name}`;
      const bytes = Uint8Array.from(await main.site.files.read(path, 1e6));
      const last = bytes.length - 1;
      bytes[last] = (bytes[last] ?? 0) ^ 1;
      await main.site.files.write(path, bytes);
    }
    expect(await refusal(main)).toBe('TIEUP_E_VERIFY');
  });

  test('where other bytes come out of it today', async () => {
    const { main } = await threeReleases();
    const path = '.tieup/partners/harbour/made-of.json';
    const text = new TextDecoder().decode(await main.site.files.read(path, 1e6));
    await main.site.files.write(path, Buffer.from(text.replaceAll('"harbour books"', '"Other Books"')));
    expect(await refusal(main, { to: 1 })).toBe('TIEUP_E_DRIFT');
  });

  test('where the contract is not in force, or the pages lay elsewhere', async () => {
    const { main } = await threeReleases();
    await main.editPartner('harbour', '/with-main/', '/elsewhere/');
    expect(await refusal(main)).toBe('TIEUP_E_CONFLICT');
    await main.editPartner('harbour', 'from: "2026-01-01"', 'from: "2026-01-01"\n  until: "2026-01-02"');
    expect(await refusal(main)).toBe('TIEUP_E_CONTRACT');
  });
});

describe('what is kept', () => {
  test('is one copy for all partners, and grows by what changed alone', async () => {
    const main = await mainFixture();
    for (const id of ['alpha', 'beta', 'gamma']) await main.join(id);
    await main.write('assets/large.bin', 'x'.repeat(100_000));
    await main.push();
    const first = await sourcesLength(main.site);
    await main.write('pages/index.md', page('Second'));
    await main.push();
    expect((await sourcesLength(main.site)) - first).toBeLessThan(5000);
  });

  test('is dropped when no partner’s newest releases need it, a day later', async () => {
    const main = await mainFixture();
    const site = { ...main.site, config: { ...main.site.config, retention: { releases: 2 } } };
    await main.join();
    for (const text of ['1', '2', '3', '4', '5']) {
      main.clock.passDays(400);
      await main.write('pages/index.md', page(text));
      await main.push({}, site);
    }
    // The newest is taken down after what is not needed went.
    const lists = (await site.files.list('.tieup/sources')).filter(({ name }) => name.endsWith('.json'));
    expect(lists.length).toBe(3);
    await expect(rollbackTo(site, request({ to: 2 }))).rejects.toMatchObject({ code: 'TIEUP_E_NOT_FOUND' });
    expect(await rollbackTo(site, request({ to: 4 }))).toMatchObject({ to: 4 });
  });

  test('is nothing where the site says so', async () => {
    const main = await mainFixture();
    await main.join();
    await main.push({}, { ...main.site, config: { ...main.site.config, retention: { releases: 0 } } });
    expect(await sourcesLength(main.site)).toBe(0);
  });
});
