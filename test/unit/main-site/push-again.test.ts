/** A push whose connection is cut: it is tried again at once, on a new one, and ends as if nothing had happened. */
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { sftpTree } from '../../../src/io/sftp-tree.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import type { PushResult } from '../../../src/main-site/push.ts';
import { recall } from '../../../src/main-site/learn-remote.ts';
import { readRecord } from '../../../src/main-site/record.ts';
import { refresh } from '../../../src/main-site/refresh.ts';
import { embeddedSftp, type EmbeddedSftp } from '../../support/embedded-sftp.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';

const open: EmbeddedSftp[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.dispose();
});

let main: MainFixture;
let shop: PartnerFixture;
/** Makes everything what it was: a release is live, and a change waits to be pushed. */
let rewind: () => void;

beforeAll(async () => {
  ({ main, shop } = await partnership());
  await shop.accept();
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Changed\n');
  const began = main.clock.now();
  const folders = [join(main.folder, '.tieup'), shop.path('exchange/inbox')];
  for (const folder of folders) cpSync(folder, `${folder}-saved`, { recursive: true });
  rewind = () => {
    main.clock.set(began);
    for (const folder of folders) {
      rmSync(folder, { recursive: true });
      cpSync(`${folder}-saved`, folder, { recursive: true });
    }
  };
});

/** The main site whose first `cut.length` connections are cut at these requests. */
async function cutAt(...cut: readonly number[]): Promise<{ site: MainSite; connections: () => number }> {
  let connections = 0;
  const connect: MainSite['connect'] = async () => {
    const dropAtRequest = cut[connections];
    connections += 1;
    const faults = dropAtRequest === undefined ? {} : { dropAtRequest };
    const server = await embeddedSftp({ root: shop.path('exchange'), faults });
    open.push(server);
    return sftpTree(await server.connect(), '/');
  };
  return { site: { ...main.site, connect }, connections: () => connections };
}

async function requestsOfPush(): Promise<number> {
  let requests = 0;
  const onRequest = (): void => void (requests += 1);
  const server = await embeddedSftp({ root: shop.path('exchange'), faults: { onRequest } });
  open.push(server);
  await main.push({}, { ...main.site, connect: async () => sftpTree(await server.connect(), '/') });
  return requests;
}

function leftInInbox(): readonly string[] {
  const names = readdirSync(shop.path('exchange/inbox'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /lock|tieup-tmp/.test(name));
}

describe('a push that is cut off', () => {
  test('anywhere before its end is done by the next attempt, which takes the lock for its own', async () => {
    rewind();
    const requests = await requestsOfPush();
    expect(requests).toBeGreaterThan(40);
    const wrong: unknown[] = [];
    for (let at = 3; at < requests; at += 5) {
      rewind();
      const steps: string[] = [];
      const { site, connections } = await cutAt(at);
      const onProgress = (_: string, { kind }: { readonly kind: string }): void => void steps.push(kind);
      const [result] = await main.push({ onProgress }, site);
      if (result?.kind !== 'pushed') wrong.push([at, result]);
      else if (connections() > 1 && (!steps.includes('again') || leftInInbox().length > 0))
        wrong.push([at, steps, leftInInbox()]);
    }
    expect(wrong).toEqual([]);
  });

  test('right behind its commit tells of the release that it has pushed', async () => {
    rewind();
    const before = await recall(main.site, 'harbour');
    // The answer to the last rename is lost: the head is in its place, and nobody here knows.
    const { site } = await cutAt();
    let lost = 0;
    const connect: MainSite['connect'] = async (partner) => {
      const tree = await site.connect(partner);
      return {
        ...tree,
        stage: async (path, content, options) => {
          const staged = await tree.stage(path, content, options);
          if (!path.endsWith('timestamp.json')) return staged;
          const commit = async (): Promise<void> => {
            await staged.commit();
            lost += 1;
            if (lost === 1) await open[0]?.server.close();
            // Whatever is asked on a connection that is cut says so.
            await tree.stat('inbox');
          };
          return { ...staged, commit };
        },
      };
    };
    const [result] = await main.push({}, { ...site, connect });
    expect(result).toMatchObject({ kind: 'pushed', plan: { changed: ['with-main/index.html'] } });
    expect(lost).toBe(1);
    const after = await recall(main.site, 'harbour');
    expect(after?.versions.targets).toBe((before?.versions.targets ?? 0) + 1);
    expect((await readRecord(main.site, 'harbour')).pushed?.releaseDigest).toBe(after?.base.releaseDigest);
    expect(result).toMatchObject({ releaseDigest: after?.base.releaseDigest });
  });

  test('three times has failed', async () => {
    rewind();
    const { site, connections } = await cutAt(9, 9, 9, 9);
    expect(await main.push({}, site)).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_CONNECTION' } }]);
    expect(connections()).toBe(3);
  });
});

test.each(['TIEUP_E_LOGIN', 'TIEUP_E_HOST_KEY', 'TIEUP_E_CONNECTION'] as const)(
  'a connection that cannot be made (%s) is no connection that was cut: nothing is tried again',
  async (code) => {
    rewind();
    let calls = 0;
    const connect: MainSite['connect'] = async () => {
      calls += 1;
      throw new TieupError(code, 'no');
    };
    const results: readonly PushResult[] = await main.push({}, { ...main.site, connect });
    expect(results).toMatchObject([{ kind: 'failed', error: { code } }]);
    expect(calls).toBe(1);
  },
);

test('a refresh that is cut off is done by the next attempt', async () => {
  rewind();
  const { site, connections } = await cutAt(25);
  expect(await refresh(site, [], 1)).toMatchObject([{ kind: 'refreshed' }]);
  expect(connections()).toBe(2);
  expect(leftInInbox().filter((name) => name.includes('lock'))).toEqual([]);
  const head = readFileSync(shop.path('exchange/inbox/metadata/timestamp.json'), 'utf8');
  expect(JSON.parse(head)).toMatchObject({ signed: { _type: 'timestamp' } });
});
