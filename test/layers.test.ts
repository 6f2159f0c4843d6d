/**
 * The house rules of the sources, read from the sources: who may import whom, no cycles, one barrel, one owner for each
 * package, files of a readable size. The table is section "The layers" of the design.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

const PURE = ['errors', 'protocol'];
const BELOW_SITES = [...PURE, 'content', 'merge', 'report', 'config', 'logs', 'io', 'publish'];

/** What each layer may import beside itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  protocol: ['errors'],
  content: PURE,
  merge: PURE,
  report: PURE,
  config: PURE,
  logs: PURE,
  io: PURE,
  publish: [...PURE, 'merge', 'io'],
  'main-site': BELOW_SITES,
  'partner-site': BELOW_SITES,
  cli: [...BELOW_SITES, 'main-site', 'partner-site'],
  index: [...BELOW_SITES, 'main-site', 'partner-site', 'cli'],
};

/** Ports and what works over ports alone; every other file of io/ is an adapter that only cli/context.ts names. */
const IO_FOR_ALL = new Set([
  'io/broken-line.ts',
  'io/clock.ts',
  'io/cuttable-tree.ts',
  'io/file-tree.ts',
  'io/history-log.ts',
  'io/lock.ts',
  'io/locked-tree.ts',
  'io/new-files.ts',
  'io/read-ahead.ts',
  'io/read-if-there.ts',
  'io/recorded-reads.ts',
  'io/retry.ts',
  'io/take-back.ts',
  'io/together.ts',
  'io/tree-path.ts',
  'io/walk.ts',
]);

/** Adapters that a layer may use by name, with the reason. */
const IO_FOR_SOME: Readonly<Record<string, readonly string[]>> = {
  // Verifies over a FileTree; it is no choice of the composition root but the one way to trust a release.
  'io/tuf-client.ts': ['main-site', 'partner-site'],
  // Pure text in, value out; the address stands in messages and in partnership files.
  'io/sftp-address.ts': ['main-site', 'partner-site', 'cli'],
  // The same for the lines of host keys, which both sides judge before they write them down.
  'io/host-key.ts': ['main-site', 'partner-site', 'cli'],
  // Which modules threads run, and where those are, only the command line knows.
  'io/worker-threads.ts': ['cli'],
};

/** Layers that are free of file system, network and process. */
const FREE_OF_IO = [
  'errors',
  'protocol',
  'content',
  'merge',
  'report',
  'config',
  'logs',
  'publish',
  'main-site',
  'partner-site',
];
const PURE_BUILTINS = new Set(['node:crypto', 'node:path', 'node:util', 'node:buffer', 'node:zlib', 'node:stream']);

/** Packages that several layers use, with the reason. */
const SHARED_PACKAGES = new Set([
  // A way of writing down what data looks like, not a part that could be replaced.
  'zod',
  // Compiles templates in content, judges a release's pages in merge, and neither layer may import the other.
  'parse5',
]);

const MAX_LINES = 350;

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .sort();
const imports = files.flatMap(importsOf);

/** Static, type, re-exporting, dynamic and `import('…')` type imports. */
function importsOf(from: string): Import[] {
  const text = readFileSync(join(SRC, from), 'utf8');
  const found: Import[] = [];
  const statement =
    /^\s*(?:import|export)\s+(?<type>type\s)?(?:[^'";]*?\sfrom\s+)?['"](?<path>[^'"]+)['"]|\bimport\(\s*['"](?<dynamic>[^'"]+)['"]/gm;
  for (const { groups } of text.matchAll(statement)) {
    const specifier = groups?.['path'] ?? groups?.['dynamic'] ?? '';
    found.push({ from, specifier, typeOnly: groups?.['type'] !== undefined });
  }
  return found;
}

function isOwn({ specifier }: Import): boolean {
  return specifier.startsWith('.');
}

/** The imported file, from src. */
function target({ from, specifier }: Import): string {
  return relative(SRC, resolve(SRC, dirname(from), specifier)).replaceAll('\\', '/');
}

function layerOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '');
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const shown = (found: Import): string => `${found.from} imports ${found.specifier}`;

describe('the layers', () => {
  test('the sources are read', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(files.length);
  });

  test('every file lies in a layer', () => {
    expect(files.filter((path) => MAY_IMPORT[layerOf(path)] === undefined)).toEqual([]);
  });

  test('imports go down the table', () => {
    const wrong = imports.filter(isOwn).filter((found) => {
      const [from, to] = [layerOf(found.from), layerOf(target(found))];
      return from !== to && !(MAY_IMPORT[from] ?? []).includes(to);
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  test('imports of own files name the file, with its ending', () => {
    const known = new Set(files);
    expect(
      imports
        .filter(isOwn)
        .filter((found) => !known.has(target(found)))
        .map(shown),
    ).toEqual([]);
  });

  test('only cli/context.ts names an adapter; types are free', () => {
    const wrong = imports.filter(isOwn).filter((found) => {
      const to = target(found);
      if (layerOf(to) !== 'io' || layerOf(found.from) === 'io' || found.typeOnly) return false;
      if (found.from === 'cli/context.ts' || found.from === 'index.ts' || IO_FOR_ALL.has(to)) return false;
      return !(IO_FOR_SOME[to] ?? []).includes(layerOf(found.from));
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  test('everything but io and cli is free of file system, network and process', () => {
    const builtin = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
    const wrong = imports.filter(
      ({ from, specifier, typeOnly }) =>
        !typeOnly && FREE_OF_IO.includes(layerOf(from)) && builtin.has(specifier) && !PURE_BUILTINS.has(specifier),
    );
    expect(wrong.map(shown)).toEqual([]);
    const naming = files.filter(
      (path) => layerOf(path) !== 'io' && /\bprocess\.(?!\.\.)|\bconsole\./.test(withoutComments(path)),
    );
    expect(naming).toEqual([]);
  });

  test('there are no cycles', () => {
    // Types tie no knot: a command's file may name the type that the table of commands declares.
    const next = new Map<string, string[]>(files.map((path) => [path, []]));
    for (const found of imports) if (isOwn(found) && !found.typeOnly) next.get(found.from)?.push(target(found));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' → '));
      else if (!done.has(path)) {
        for (const to of next.get(path) ?? []) visit(to, [...way, path]);
        done.add(path);
      }
    };
    for (const path of files) visit(path, []);
    expect(cycles).toEqual([]);
  });

  test('src/index.ts is the only barrel', () => {
    const barrels = files.filter(
      (path) => path !== 'index.ts' && /^export (?:type )?(?:\*|\{[^}]*\}) from/m.test(withoutComments(path)),
    );
    expect(barrels).toEqual([]);
  });

  test('every package has one owner: a file, or the files of one folder', () => {
    const owners = new Map<string, Set<string>>();
    for (const { from, specifier } of imports) {
      const name = packageOf(specifier);
      if (specifier.startsWith('.') || specifier.startsWith('node:') || SHARED_PACKAGES.has(name)) continue;
      owners.set(name, (owners.get(name) ?? new Set()).add(dirname(from)));
    }
    const shared = [...owners].filter(([, folders]) => !areOneFolder([...folders]));
    expect(shared.map(([name, folders]) => `${name} is imported in ${[...folders].join(', ')}`)).toEqual([]);
  });

  test(`no file has more than ${MAX_LINES} lines`, () => {
    const long = files.filter((path) => readFileSync(join(SRC, path), 'utf8').split('\n').length > MAX_LINES + 1);
    expect(long).toEqual([]);
  });

  test('no file is called after what it is not about', () => {
    expect(files.filter((path) => /(?:^|\/)(?:utils?|helpers?|common|shared|types)(?:\/|\.ts$)/.test(path))).toEqual(
      [],
    );
  });

  test('no file carries a to-do or switches a check off', () => {
    const marks = /\b(?:TODO|FIXME|XXX)\b|@ts-(?:ignore|expect-error|nocheck)|(?:ox|es)lint-disable/;
    expect(files.filter((path) => marks.test(readFileSync(join(SRC, path), 'utf8')))).toEqual([]);
  });
});

/** True for one folder, or a folder and folders below it. */
function areOneFolder(folders: readonly string[]): boolean {
  return folders.some((folder) => folders.every((other) => other === folder || other.startsWith(`${folder}/`)));
}

function withoutComments(path: string): string {
  return readFileSync(join(SRC, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}
