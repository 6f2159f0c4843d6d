/** A {@link FileTree} in memory: for tests, and for trees that are only looked at (`build`, `plan`). */
import { joinChunks } from './chunks.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { FileContent, FileEntry, FileStat, FileTree } from './file-tree.ts';
import { stageByWriting } from './stage-by-writing.ts';
import type { TreePlace } from './tree-fault.ts';
import { inTheWay, notFound, tooLarge, unsafe } from './tree-fault.ts';
import { byName, fileTreePath, isTemporaryName, treePath } from './tree-path.ts';

type Node = FileNode | LinkNode | FolderNode;
interface FileNode {
  readonly kind: 'file';
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly modified: string;
}
interface LinkNode {
  readonly kind: 'link';
  readonly target: string;
  readonly modified: string;
}
interface FolderNode {
  readonly kind: 'folder';
  readonly children: Map<string, Node>;
  readonly modified: string;
}

/** @param label - how messages name the tree */
export function memoryTree(label = 'memory', clock: Clock = systemClock): FileTree {
  const now = (): string => clock.now().toISOString();
  const newFolder = (): FolderNode => ({ kind: 'folder', children: new Map(), modified: now() });
  const root = newFolder();
  const at = (verb: string, path: string): TreePlace => ({ verb, path, label });

  /** The folder that `components` name, or undefined when there is none. */
  const findFolder = (components: readonly string[], place: TreePlace): FolderNode | undefined => {
    let folder = root;
    for (const component of components) {
      const next = folder.children.get(component);
      if (next?.kind === 'link') throw unsafe(place, `${JSON.stringify(component)} on the way is a symbolic link`);
      if (next?.kind !== 'folder') return undefined;
      folder = next;
    }
    return folder;
  };

  const makeFolders = (components: readonly string[], place: TreePlace): FolderNode => {
    let folder = root;
    for (const component of components) {
      const next = folder.children.get(component) ?? newFolder();
      if (next.kind === 'link') throw unsafe(place, `${JSON.stringify(component)} on the way is a symbolic link`);
      if (next.kind === 'file') throw inTheWay(place, `${JSON.stringify(component)} on the way is a file`);
      folder.children.set(component, next);
      folder = next;
    }
    return folder;
  };

  const find = (path: string, place: TreePlace): Node | undefined => {
    const components = treePath(path);
    if (components.length === 0) return root;
    return findFolder(components.slice(0, -1), place)?.children.get(components.at(-1) ?? '');
  };

  /** The existing parent of `path`, and its last component. */
  const parentOf = (path: string, place: TreePlace): readonly [FolderNode, string] => {
    const components = fileTreePath(path);
    const parent = findFolder(components.slice(0, -1), place);
    if (parent === undefined) throw notFound(place);
    return [parent, components.at(-1) ?? ''];
  };

  const file = (path: string, place: TreePlace): FileNode => {
    const node = find(path, place);
    if (node === undefined) throw notFound(place);
    if (node.kind !== 'file') throw unsafe(place, `it is a ${nameOfKind(node)}`);
    return node;
  };

  const readFile = (path: string, maxLength: number): Uint8Array => {
    const place = at('read', path);
    const { bytes } = file(path, place);
    if (bytes.length > maxLength) throw tooLarge(place, maxLength, bytes.length);
    return bytes.slice();
  };

  const tree: Omit<FileTree, 'stage'> = {
    label,
    stat: async (path) => {
      const node = find(path, at('look at', path));
      return node && statOf(node);
    },
    list: async (path, options) => {
      const node = find(path, at('list', path));
      if (node === undefined) return [];
      if (node.kind !== 'folder') throw unsafe(at('list', path), `it is a ${nameOfKind(node)}`);
      const entries: FileEntry[] = [];
      for (const [name, child] of node.children) {
        if (options?.temporary === true || !isTemporaryName(name)) entries.push({ name, ...statOf(child) });
      }
      return entries.sort(byName);
    },
    read: async (path, maxLength) => readFile(path, maxLength),
    stream: async function* stream(path, maxLength) {
      yield readFile(path, maxLength);
    },
    write: async (path, content, options) => {
      const place = at('write', path);
      const components = fileTreePath(path);
      const bytes = await collect(content);
      const parent = makeFolders(components.slice(0, -1), place);
      const name = components.at(-1) ?? '';
      const there = parent.children.get(name);
      if (there?.kind === 'link') throw unsafe(place, 'it is a symbolic link');
      if (there?.kind === 'folder') throw inTheWay(place, 'a folder is there');
      parent.children.set(name, { kind: 'file', bytes, mode: options?.mode ?? 0o644, modified: now() });
    },
    create: async (path, content, options) => {
      const place = at('create', path);
      const components = fileTreePath(path);
      const parent = makeFolders(components.slice(0, -1), place);
      const name = components.at(-1) ?? '';
      if (parent.children.has(name)) throw inTheWay(place, 'it exists already');
      parent.children.set(name, {
        kind: 'file',
        bytes: content.slice(),
        mode: options?.mode ?? 0o644,
        modified: now(),
      });
    },
    makeFolder: async (path) => {
      makeFolders(treePath(path), at('make the folder', path));
    },
    rename: async (from, to) => {
      const place = at('rename', from);
      const [source, oldName] = parentOf(from, place);
      const [target, newName] = parentOf(to, at('rename to', to));
      const node = source.children.get(oldName);
      if (node === undefined) throw notFound(place);
      if (to.startsWith(`${from}/`)) throw unsafe(place, 'a folder cannot be moved into itself');
      const there = target.children.get(newName);
      if (there === node) return;
      if (there?.kind === 'folder' || (there !== undefined && node.kind === 'folder')) {
        throw inTheWay(place, `a ${nameOfKind(there)} is at ${JSON.stringify(to)}`);
      }
      source.children.delete(oldName);
      target.children.set(newName, node);
    },
    hardLink: async (from, to) => {
      const node = file(from, at('link', from));
      const [parent, name] = parentOf(to, at('link to', to));
      if (parent.children.has(name)) throw inTheWay(at('link to', to), 'it exists already');
      parent.children.set(name, node);
    },
    replaceLink: async (path, target) => {
      const place = at('link', path);
      const [parent, name] = parentOf(path, place);
      const there = parent.children.get(name);
      if (there !== undefined && there.kind !== 'link') throw inTheWay(place, `a ${there.kind} is there`);
      parent.children.set(name, { kind: 'link', target, modified: now() });
    },
    readLink: async (path) => {
      const place = at('read the link', path);
      const node = find(path, place);
      if (node === undefined) throw notFound(place);
      if (node.kind !== 'link') throw unsafe(place, `it is a ${node.kind}`);
      return node.target;
    },
    remove: async (path) => {
      const place = at('remove', path);
      const components = fileTreePath(path);
      const parent = findFolder(components.slice(0, -1), place);
      const name = components.at(-1) ?? '';
      if (parent?.children.get(name)?.kind === 'folder') throw unsafe(place, 'it is a folder');
      parent?.children.delete(name);
    },
    removeFolder: async (path) => {
      const place = at('remove the folder', path);
      const components = fileTreePath(path);
      const parent = findFolder(components.slice(0, -1), place);
      const name = components.at(-1) ?? '';
      const node = parent?.children.get(name);
      if (node === undefined) return false;
      if (node.kind !== 'folder') throw unsafe(place, `it is a ${nameOfKind(node)}`);
      return node.children.size === 0 && parent?.children.delete(name) === true;
    },
    sync: async (paths) => {
      for (const path of paths) find(path, at('flush', path));
    },
    roundTripMs: () => 0,
    close: async () => {},
  };
  return { ...tree, stage: stageByWriting(tree) };
}

function statOf(node: Node): FileStat {
  return {
    kind: node.kind,
    length: node.kind === 'file' ? node.bytes.length : 0,
    mode: node.kind === 'file' ? node.mode : undefined,
    modified: node.modified,
  };
}

function nameOfKind(node: Node): string {
  return node.kind === 'link' ? 'symbolic link' : node.kind;
}

async function collect(content: FileContent): Promise<Uint8Array> {
  if (content instanceof Uint8Array) return content.slice();
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk.slice());
  return joinChunks(chunks);
}
