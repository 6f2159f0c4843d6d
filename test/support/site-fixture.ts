/** A partner site for tests: original pages, a web root, state, and releases made of plain text. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileTree } from '../../src/io/file-tree.ts';
import { folderTree, type FolderTreeOptions } from '../../src/io/folder-tree.ts';
import { memoryTree } from '../../src/io/memory-tree.ts';
import { type Choices, NO_CHOICES, type SlotContent } from '../../src/merge/choices.ts';
import type { TieUpFile } from '../../src/merge/merge-input.ts';
import { planMerge, type MergePlan } from '../../src/merge/plan.ts';
import { sha256 } from '../../src/protocol/digest.ts';
import { objectStore } from '../../src/publish/objects.ts';
import type { Layout, Ports } from '../../src/publish/ports.ts';
import type { Publication } from '../../src/publish/publication.ts';
import { publish } from '../../src/publish/publish.ts';
import { survey } from '../../src/publish/survey.ts';

export const MOUNT = '/with-main/';
export const NOW = new Date('2026-11-23T22:00:00Z');

export interface TestRelease {
  readonly number: number;
  readonly digest: string;
  readonly files: readonly TieUpFile[];
}

export interface Contents {
  readonly [path: string]: string;
}

export function layoutOf(how: Layout['how'], keep = 5): Layout {
  return { how, publicName: 'public', treesName: 'published', mount: MOUNT, keep };
}

export function memoryPorts(how: 'separate' | 'in-place'): Ports {
  const original = how === 'separate' ? memoryTree('original') : undefined;
  return { original, web: memoryTree('web'), state: memoryTree('state') };
}

/** Trees in a fresh temporary folder; `remove` takes it away. */
export async function folderPorts(
  how: 'separate' | 'in-place',
): Promise<{ readonly folder: string; readonly ports: Ports; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'tieup-'));
  const ports = portsIn(folder, how);
  return { folder, ports, remove: () => rm(folder, { recursive: true, force: true }) };
}

export function portsIn(folder: string, how: 'separate' | 'in-place', options: FolderTreeOptions = {}): Ports {
  return {
    original: how === 'separate' ? folderTree(join(folder, 'original')) : undefined,
    web: folderTree(join(folder, 'web'), options),
    state: folderTree(join(folder, 'state'), options),
  };
}

/** Writes text files; `base` is a folder in the tree. */
export async function fill(tree: FileTree, contents: Contents, base = ''): Promise<void> {
  await tree.makeFolder(base);
  for (const [path, text] of Object.entries(contents))
    await tree.write(base === '' ? path : `${base}/${path}`, encode(text));
}

/** Every file and link below `base` with its text; links as `-> target`. */
export async function dump(tree: FileTree, base: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = async (folder: string, prefix: string): Promise<void> => {
    for (const { name, kind } of await tree.list(folder)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (kind === 'folder') await visit(path, `${prefix}${name}/`);
      else if (kind === 'link') found[prefix + name] = `-> ${await tree.readLink(path)}`;
      else if (kind === 'file') found[prefix + name] = decode(await tree.read(path, 1e9));
      else found[prefix + name] = `(${kind})`;
    }
  };
  await visit(base, '');
  return found;
}

/** What visitors see: the live tree. */
export async function dumpLive(ports: Ports, layout: Layout): Promise<Record<string, string>> {
  const root = await ports.web.stat(layout.publicName);
  if (root === undefined) return {};
  return dump(ports.web, root.kind === 'link' ? await ports.web.readLink(layout.publicName) : layout.publicName);
}

/** A release whose objects are in the store; `{{slot name}}…{{/slot}}` in a text becomes a slot, `{{slot! name}}` a required one. */
export async function makeRelease(state: FileTree, number: number, contents: Contents): Promise<TestRelease> {
  const objects = objectStore(state);
  const files: TieUpFile[] = [];
  for (const path of Object.keys(contents).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const { text, slots } = cutSlots(contents[path] ?? '');
    const bytes = encode(text);
    await objects.add(sha256(bytes), bytes.length, bytes);
    files.push({
      path,
      length: bytes.length,
      digest: sha256(bytes),
      since: number,
      page: path.endsWith('.html') ? { slots } : undefined,
    });
  }
  return { number, digest: sha256(`release ${number} ${JSON.stringify(contents)}`), files };
}

function cutSlots(source: string) {
  const slots: { name: string; offset: number; length: number; required: boolean }[] = [];
  let text = '';
  let rest = source;
  for (let match = SLOT.exec(rest); match !== null; match = SLOT.exec(rest)) {
    text += rest.slice(0, match.index);
    const [whole, mark, name = '', fallback = ''] = match;
    slots.push({ name, offset: encode(text).length, length: encode(fallback).length, required: mark === '!' });
    text += fallback;
    rest = rest.slice(match.index + whole.length);
  }
  return { text: text + rest, slots };
}

const SLOT = /\{\{slot(!?) ([a-z-]+)\}\}([\s\S]*?)\{\{\/slot\}\}/;

/** Slot contents as objects: by `page#slot`. */
export async function makeSlots(state: FileTree, contents: Contents): Promise<readonly SlotContent[]> {
  const objects = objectStore(state);
  const slots: SlotContent[] = [];
  for (const [key, text] of Object.entries(contents)) {
    const [page = '', slot = ''] = key.split('#');
    const bytes = encode(text);
    await objects.add(sha256(bytes), bytes.length, bytes);
    slots.push({ page, slot, digest: sha256(bytes), length: bytes.length });
  }
  return slots;
}

export interface PlanOptions {
  readonly choices?: Partial<Choices>;
  readonly slots?: readonly SlotContent[];
}

export async function planFor(
  ports: Ports,
  layout: Layout,
  release: TestRelease | null,
  options: PlanOptions = {},
): Promise<MergePlan> {
  const found = await survey(ports, layout, release);
  return planMerge({ ...found, release, slots: options.slots ?? [], choices: { ...NO_CHOICES, ...options.choices } });
}

/** Plans and publishes. */
export async function goLive(
  ports: Ports,
  layout: Layout,
  release: TestRelease | null,
  options: PlanOptions = {},
): Promise<Publication> {
  const plan = await planFor(ports, layout, release, options);
  return publish(ports, layout, plan, {
    release,
    releaseDigest: release?.digest ?? null,
    decisionDigest: release === null ? null : sha256(`decision on ${release.digest}`),
    now: NOW,
  });
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Two states of a site between which a publication is interrupted: a change, an addition, a deletion, a move into a folder. */
export const CRASH_ORIGINAL = { 'index.html': 'my home', 'about/us.html': 'about us' };
export const CRASH_OLD = {
  'with-main/index.html': 'main 1 '.repeat(50),
  'with-main/same.html': 'same',
  'with-main/topic': 'a page',
  'with-main/old/gone.html': 'gone',
};
export const CRASH_NEW = {
  'with-main/index.html': 'main 2 '.repeat(60),
  'with-main/same.html': 'same',
  'with-main/topic/index.html': 'a folder',
  'with-main/new/page.html': 'new',
};
