/**
 * A main site and its partners as they are after `init`, `invite`, `join` and `enroll`: real folders, seeded keys, a clock
 * that stands still, and an exchange without SSH between them. Made by the use cases themselves.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { compileHere } from '../../src/content/compile-here.ts';
import { parseMainSite } from '../../src/config/main-site.ts';
import { IN_PLACE, type PartnerSiteConfig } from '../../src/config/partner-site.ts';
import { historyLog } from '../../src/io/history-log.ts';
import { folderTree } from '../../src/io/folder-tree.ts';
import { sshKeyFolder } from '../../src/io/ssh-keys.ts';
import { enroll, openAnswer } from '../../src/main-site/enroll.ts';
import { invite } from '../../src/main-site/invite.ts';
import { recall } from '../../src/main-site/learn-remote.ts';
import type { MainSite } from '../../src/main-site/main-site.ts';
import { rootKeyName } from '../../src/main-site/partner-keys.ts';
import type { PushResult } from '../../src/main-site/push.ts';
import { pushAll, type FleetRequest } from '../../src/main-site/push-all.ts';
import type { PushedRelease } from '../../src/main-site/sent-releases.ts';
import { join as joinPartnership, openInvitation } from '../../src/partner-site/join.ts';
import { seededSshKey } from './embedded-sftp.ts';
import { memoryHits, type MemoryHits } from './memory-hits.ts';
import { memoryKeys, type MemoryKeys, seededRandom } from './memory-keys.ts';
import { partnerFixture, type PartnerFixture, testClock, type TestClock, writeAll } from './partner-fixture.ts';
import { lastingFolder } from './lasting-folder.ts';

/** The pages with which a main site starts: one whole, one with slots, one that links home. */
export const PAGES: Readonly<Record<string, string>> = {
  'pages/index.md': '---\ntitle: Our coffee\n---\n\n# Our coffee at {{ partner.name }}\n\n[Visit](visit.md)\n',
  'pages/visit.md': `---
title: Visit us
inherit: framework
slots:
  hours:
    description: When the shop is open
    required: false
---

# Visit us

<slot name="hours">

Please ask at the counter.

</slot>
`,
  'pages/story.md': '---\ntitle: Who we are\ndescription: How it began\ninherit: link\n---\n\nOnly at home.\n',
  'templates/page.html': `<!doctype html>
<html lang="{{ site.language }}"><head><title>{{ page.title }}</title><link rel="stylesheet" href="assets/style.css"></head>
<body><main><slot name="content"></slot></main></body></html>
`,
  'assets/style.css': 'main { max-width: 40rem }\n',
};

export const ORIGINALS: Readonly<Record<string, string>> = {
  'index.html': '<!doctype html><title>Harbour Books</title>my home\n',
  'about/us.html': '<!doctype html><title>About</title>about us\n',
};

export interface MainFixture {
  /** Absolute. */
  readonly folder: string;
  readonly clock: TestClock;
  readonly site: MainSite;
  readonly keys: MemoryKeys;
  /** What was imported. */
  readonly hits: MemoryHits;
  /** Writes a file of the main site: `pages/index.md`. */
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Replaces a text in `partners/<id>.yaml`. */
  editPartner(id: string, from: string | RegExp, to: string): Promise<void>;
  /** Pushes to every partner; `site` when it is not the usual one. */
  push(request?: Partial<FleetRequest>, site?: MainSite): Promise<readonly PushResult[]>;
  /** Pushes to one partner, which must succeed with something new. */
  pushed(id?: string): Promise<Extract<PushResult, { kind: 'pushed' }>>;
  /** What the main site pushed to one partner last. */
  pushedBefore(id?: string): Promise<PushedRelease>;
  /** A new partner that has joined and is enrolled. */
  join(id?: string, options?: JoinOptions): Promise<PartnerFixture>;
}

export interface JoinOptions {
  readonly publish?: PartnerSiteConfig['publish'];
  /** The original pages live in the web root; needs overwrite. */
  readonly inPlace?: boolean;
  /** Original pages; {@link ORIGINALS} unless given. */
  readonly originals?: Readonly<Record<string, string>>;
  /** YAML lines for the main site's partnership file: `policy:\n  scripts: own\n`. */
  readonly partnership?: string;
}

/** A main site in a temporary folder of its own. @param holders of root keys, each enough alone; all are here */
export async function mainFixture(
  pages: Readonly<Record<string, string>> = PAGES,
  holders: readonly string[] = ['main'],
): Promise<MainFixture> {
  const base = await lastingFolder();
  const folder = join(base, 'main');
  const clock = testClock();
  const keys = memoryKeys('main', [...holders.map(rootKeyName), 'release', 'online', 'document']);
  const exchanges = new Map<string, string>();
  const head = 'role: main\nsite:\n  name: Northwind Coffee\n  url: https://northwind.example/\n';
  const config = `${head}roots:\n  holders: [${holders.join(', ')}]\n`;
  const hits = memoryHits();
  await writeAll(folder, { ...pages, 'tieup.yaml': config, 'keys/ssh.pub': seededSshKey('main').publicKey });
  const owner = { who: 'main@test, process 1', id: 'main', host: 'main', pid: 1 };
  const isAlive = (pid: number): boolean => pid === 1;
  const site: MainSite = {
    config: parseMainSite(config, 'tieup.yaml'),
    identity: 'test',
    files: folderTree(folder),
    cacheFolder: join(folder, '.tieup'),
    memory: { get: () => undefined, put: () => undefined, flush: () => undefined },
    markdown: compileHere,
    images: async () => undefined,
    keys,
    sshKeys: sshKeyFolder(join(folder, 'keys')),
    clock,
    random: seededRandom('main'),
    owner,
    isAlive,
    history: historyLog({ tree: folderTree(join(folder, '.tieup')), owner, clock, isAlive }),
    connect: async ({ id }) => folderTree(exchanges.get(id) ?? join(base, 'no-such-partner')),
    openSite: async ({ id }) => {
      const exchangeFolder = exchanges.get(id) ?? join(base, 'no-such-partner');
      return {
        tree: (place) => folderTree(resolve(exchangeFolder, place)),
        kept: folderTree(join(folder, '.tieup/partners', id, 'live')),
        close: async () => {},
      };
    },
    hits: async () => hits,
    folding: async () => undefined,
    visit: async () => ({ status: 404, digest: null }),
  };
  const fixture: MainFixture = {
    folder,
    clock,
    site,
    keys,
    hits,
    write: (path, text) => writeAll(folder, { [path]: text }),
    remove: (path) => rm(join(folder, path)),
    editPartner: async (id, from, to) => {
      const path = `partners/${id}.yaml`;
      const before = new TextDecoder().decode(await site.files.read(path, 1e6));
      const after = before.replace(from, to);
      if (after === before) throw new Error(`${path} has no ${String(from)}`);
      await site.files.write(path, Buffer.from(after));
    },
    push: async (request = {}, by = site) => {
      const { results } = await pushAll(by, {
        partners: [],
        message: { subject: undefined, text: undefined },
        full: false,
        concurrency: 2,
        onProgress: () => {},
        ...request,
      });
      return results;
    },
    pushed: async (id = 'harbour') => {
      const [result] = await fixture.push({ partners: [id] });
      if (result?.kind === 'failed') throw result.error;
      if (result?.kind !== 'pushed') throw new Error('there was nothing to push');
      return result;
    },
    pushedBefore: async (id = 'harbour') => {
      const remembered = await recall(site, id);
      if (remembered === undefined) throw new Error(`nothing was pushed to ${id}`);
      return remembered.base;
    },
    join: async (id = 'harbour', options = {}) => {
      const partner = await joinedPartner(fixture, join(base, id), id, options);
      exchanges.set(id, join(partner.folder, 'exchange'));
      return partner;
    },
  };
  return fixture;
}

/** What the next push changes: one page of {@link PAGES} is other, one is new, one is gone. */
export async function changePages(main: Pick<MainFixture, 'write' | 'remove'>): Promise<void> {
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Changed\n');
  await main.write('pages/events.md', '---\ntitle: Events\n---\n\nA tasting.\n');
  await main.remove('pages/story.md');
}

/** The common case: one partner, and the first release in its inbox. */
export async function partnership(
  options: JoinOptions & { readonly pages?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly main: MainFixture; readonly shop: PartnerFixture }> {
  const main = await mainFixture({ ...PAGES, ...options.pages });
  const shop = await main.join('harbour', options);
  await main.pushed();
  return { main, shop };
}

async function joinedPartner(
  main: MainFixture,
  folder: string,
  id: string,
  options: JoinOptions,
): Promise<PartnerFixture> {
  await main.write(
    `partners/${id}.yaml`,
    `id: ${id}\nname: ${id} books\nurl: https://${id}.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n${options.partnership ?? ''}`,
  );
  const { bytes } = await invite(main.site, { partner: id, hours: 48 });
  const originals = options.originals ?? ORIGINALS;
  const originalFolder = options.inPlace === true ? 'public' : 'original';
  await mkdir(join(folder, originalFolder), { recursive: true });
  await writeAll(join(folder, originalFolder), originals);
  const keys = memoryKeys(id);
  const { answer } = await joinPartnership(
    {
      files: folderTree(folder),
      base: folder,
      exchange: folderTree(join(folder, 'exchange')),
      state: folderTree(join(folder, 'state')),
      keys,
      clock: main.clock,
      random: seededRandom(id),
    },
    {
      opened: openInvitation(bytes, main.clock.now()),
      sftp: { url: `sftp://main@${id}.example/exchange`, hostKeys: [seededSshKey(id).publicKey] },
      url: `https://${id}.example/`,
      publish: options.publish ?? 'link',
      folders: {
        original: options.inPlace === true ? IN_PLACE : 'original',
        slots: 'slots',
        exchange: 'exchange',
        public: 'public',
        state: 'state',
        keys: 'keys',
      },
      schema: '{}',
      password: undefined,
    },
  );
  await enroll(main.site, await openAnswer(main.site, answer));
  return partnerFixture({ id, folder, keys, clock: main.clock });
}
