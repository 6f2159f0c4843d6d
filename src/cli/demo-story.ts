/**
 * The demo: the whole loop between a main site and a partner, told aloud and checked at every step.
 *
 *   two folders → invitation, answer → push → "visitors see nothing yet" → accept → live
 *   → one byte altered: refused → an old release replayed: refused → accepted after all → rollback → resume
 *
 * Each check throws when it does not hold, so that the demo is the acceptance test as well.
 */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { SftpServer } from '../io/sftp-server.ts';
import type { LoopbackServer } from '../io/loopback-server.ts';
import type { ProcessEnd } from '../io/processes.ts';
import type { DemoStage } from './demo-stage.ts';
import { copyTree, emptyTree } from './demo-files.ts';

export interface DemoPorts extends DemoStage {
  /** Absolute path of the folder in which everything is made, and the same as a tree. */
  readonly folder: string;
  readonly tree: FileTree;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A heading of the story. */
  tell(text: string): void;
  /** What was typed and what came of it. */
  show(command: string, output: string): void;
}

export interface DemoEnd {
  /** Where the partner's visitors look. */
  readonly url: string;
  close(): Promise<void>;
}

const PASSWORD = 'correct horse battery staple';
const PAGE = '/with-northwind-coffee/';

interface Scene extends DemoPorts {
  readonly url: string;
  main(...argv: readonly string[]): Promise<ProcessEnd>;
  partner(...argv: readonly string[]): Promise<ProcessEnd>;
}

export async function playDemo(ports: DemoPorts): Promise<DemoEnd> {
  const servers: (SftpServer | LoopbackServer)[] = [];
  const close = async () => {
    for (const server of servers) await server.close();
  };
  try {
    const web = await ports.startWeb(`${ports.folder}/harbour/public`);
    servers.push(web);
    const scene = openScene(ports, `http://127.0.0.1:${web.port}${PAGE}`);
    await makeSites(scene);
    const key = new TextDecoder().decode(await ports.tree.read('northwind/keys/ssh.pub', 4096));
    const sftp = await ports.startSftp(`${ports.folder}/harbour/exchange`, key.trim());
    servers.push(sftp);
    await makePartnership(scene, sftp);
    await firstRelease(scene);
    await alteredRelease(scene);
    await replayedRelease(scene);
    await goBack(scene);
    return { url: scene.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function openScene(ports: DemoPorts, url: string): Scene {
  const { PATH, SYSTEMROOT } = ports.environment;
  const environment = { PATH, SYSTEMROOT, HOME: ports.folder, TIEUP_PASSWORD: PASSWORD, NO_COLOR: '1' };
  const call =
    (site: string) =>
    async (...argv: readonly string[]) => {
      const called = await ports.callTieup(argv, `${ports.folder}/${site}`, environment);
      const shown = argv.map((word) => (/[\s"]/.test(word) ? JSON.stringify(word) : word)).join(' ');
      ports.show(`${site}$ tieup ${shown}`, called.output);
      return called;
    };
  return { ...ports, url, main: call('northwind'), partner: call('harbour') };
}

async function makeSites(scene: Scene): Promise<void> {
  scene.tell('Two sites: Northwind Coffee publishes pages, Harbour Books takes them in');
  await scene.tree.makeFolder('northwind');
  await scene.tree.makeFolder('harbour');
  const main = ['init', '--role', 'main', '--name', 'Northwind Coffee', '--url', 'https://northwind.example/'];
  const [northwind, harbour] = await Promise.all([
    scene.main(...main),
    scene.partner('init', '--role', 'partner', '--name', 'Harbour Books'),
  ]);
  expectExit(northwind, 0);
  expectExit(harbour, 0);
}

async function makePartnership(scene: Scene, { port, hostKeyLine }: SftpServer): Promise<void> {
  scene.tell('They become partners: an invitation, an answer, and six words each, compared by telephone');
  expectExit(await scene.main('invite', 'harbour', '--out', '../harbour/harbour.invitation'), 0);
  const words = (output: string) => /^ {2,}((?:[a-z]{5} ){5}[a-z]{5})$/m.exec(output)?.[1] ?? '';
  const invitation = await scene.callTieup(['join', 'harbour.invitation'], `${scene.folder}/harbour`, {
    PATH: scene.environment['PATH'],
  });
  const agree = ['join', 'harbour.invitation', '--yes', words(invitation.stderr)];
  const server = ['--sftp', `sftp://main@127.0.0.1:${port}/`, '--host-key', hostKeyLine];
  const rest = ['--url', 'https://harbour.example/', '--out', '../northwind/harbour.answer'];
  const joined = await scene.partner(...agree, ...server, ...rest);
  expectExit(joined, 0);
  expectExit(await scene.main('enroll', 'harbour.answer', '--yes', words(joined.stdout)), 0);
}

async function firstRelease(scene: Scene): Promise<void> {
  scene.tell('Northwind pushes its pages: rendered for this partner, signed, sent over SFTP');
  expectExit(await scene.main('plan'), 0);
  expectExit(await scene.main('push', '--message', 'Our first pages for your visitors'), 0);
  scene.tell('Visitors see nothing yet');
  await expectStatus(scene, 404);

  scene.tell('The manager of Harbour Books looks at it and accepts');
  await acceptWaiting(scene);
  await expectTitle(scene, 'Our coffee · Harbour Books');
  expectExit(await scene.partner('verify'), 0);
  expectExit(await scene.main('status'), 0);
}

async function alteredRelease(scene: Scene): Promise<void> {
  scene.tell('A second release is on its way. Somebody with the SFTP password changes one byte of it');
  await copyTree(scene.tree, 'harbour/exchange/inbox', 'inbox-of-release-1');
  await editFrontPage(scene, 'Spring is here, and so is the new harvest.');
  expectExit(await scene.main('push', '--message', 'The new harvest'), 0);
  const undo = await flipByte(scene.tree, 'harbour/exchange/inbox/packs');
  expectExit(await scene.partner('accept', '--auto'), 5);
  await expectTitle(scene, 'Our coffee · Harbour Books');
  await expectText(scene, 'new harvest', false);
  await undo();
}

async function replayedRelease(scene: Scene): Promise<void> {
  scene.tell('Put right again, it is accepted');
  await acceptWaiting(scene);
  await expectText(scene, 'new harvest', true);
  scene.tell('Then the thief puts the whole old release back. It is authentic, but older than what was seen');
  await copyTree(scene.tree, 'harbour/exchange/inbox', 'inbox-of-release-2');
  await replaceTree(scene.tree, 'inbox-of-release-1', 'harbour/exchange/inbox');
  expectExit(await scene.partner('accept', '--auto'), 5);
  await expectText(scene, 'new harvest', true);
  await replaceTree(scene.tree, 'inbox-of-release-2', 'harbour/exchange/inbox');
}

async function goBack(scene: Scene): Promise<void> {
  scene.tell('The manager changes her mind: back to the first release, at once and without asking anybody');
  expectExit(await scene.partner('rollback'), 0);
  await expectText(scene, 'new harvest', false);
  scene.tell('And forward again');
  expectExit(await scene.partner('resume'), 0);
  await expectText(scene, 'new harvest', true);
  expectExit(await scene.partner('history'), 0);
}

async function acceptWaiting(scene: Scene): Promise<void> {
  const status = await scene.partner('status');
  const digest = /--yes ([0-9a-f]{64})/.exec(status.stdout)?.[1] ?? '';
  expectExit(await scene.partner('accept', '--yes', digest, '--quiet'), 0);
}

async function editFrontPage({ tree }: Scene, line: string): Promise<void> {
  const page = 'northwind/pages/index.md';
  const text = new TextDecoder().decode(await tree.read(page, 1_000_000));
  await tree.write(page, Buffer.from(`${text}\n${line}\n`));
}

/** Alters the last byte of the newest pack; returns what puts it right. */
async function flipByte(tree: FileTree, folder: string): Promise<() => Promise<void>> {
  const packs = (await tree.list(folder)).toSorted((a, b) => (a.modified < b.modified ? 1 : -1));
  const packPaths = packs.map(({ name }) => `${folder}/${name}`);
  const originals = await Promise.all(
    packPaths.map(async (path) => [path, await tree.read(path, 100_000_000)] as const),
  );
  for (const [path, bytes] of originals) {
    const altered = Buffer.from(bytes);
    altered[altered.length - 20] = (altered.at(-20) ?? 0) ^ 1;
    await tree.write(path, altered);
  }
  return async () => {
    for (const [path, bytes] of originals) await tree.write(path, bytes);
  };
}

async function replaceTree(tree: FileTree, from: string, to: string): Promise<void> {
  await emptyTree(tree, to);
  await copyTree(tree, from, to);
}

function expectExit({ exitCode, stderr }: ProcessEnd, expected: number): void {
  if (exitCode !== expected) throw wentWrong(`exit code ${exitCode} where ${expected} was expected: ${stderr.trim()}`);
}

async function fetchPage({ url }: Scene): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

async function expectStatus(scene: Scene, expected: number): Promise<void> {
  const { status } = await fetchPage(scene);
  scene.show(`visitor$ curl ${scene.url}`, `HTTP ${status}\n`);
  if (status !== expected) throw wentWrong(`visitors get HTTP ${status} where ${expected} was expected`);
}

async function expectTitle(scene: Scene, expected: string): Promise<void> {
  const { status, text } = await fetchPage(scene);
  const title = /<title>([^<]*)<\/title>/.exec(text)?.[1] ?? 'no title';
  scene.show(`visitor$ curl ${scene.url}`, `HTTP ${status}, "${title}"\n`);
  if (title !== expected) throw wentWrong(`the page is called "${title}" where "${expected}" was expected`);
}

async function expectText(scene: Scene, wanted: string, present: boolean): Promise<void> {
  const { text } = await fetchPage(scene);
  const found = text.includes(wanted);
  scene.show(`visitor$ curl -s ${scene.url} | grep "${wanted}"`, found ? `… ${wanted} …\n` : '(nothing)\n');
  if (found !== present) throw wentWrong(`the page ${found ? 'shows' : 'does not show'} "${wanted}"`);
}

function wentWrong(message: string): TieupError {
  return new TieupError('TIEUP_E_FAILED', `the demo went wrong: ${message}`);
}
