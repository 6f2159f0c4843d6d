/** What the documentation says of codes, commands, flags and files, held against the sources. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CATALOG } from '../src/cli/catalog.ts';
import { EXIT, TieupError, type ErrorCode } from '../src/errors.ts';

const ROOT = resolve(import.meta.dirname, '..');
const DOCUMENTS = [
  'README.md',
  'examples/README.md',
  'examples/github-fleet.yml',
  'examples/gitlab-fleet.yml',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path}`),
].toSorted();

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Flags of every command. */
const GLOBAL_FLAGS = ['--json', '--quiet', '--no-color', '--version', '--help', '--cwd', '-q', '-C', '-h'];

interface Call {
  readonly document: string;
  readonly command: string;
  readonly flags: readonly string[];
}

/** Every `tieup verb --flag` in code, inline or in a block. */
function callsIn(document: string): readonly Call[] {
  const text = read(document);
  const code = [
    ...text.matchAll(/^```(?:sh|text)?\n([\s\S]*?)^```$/gm),
    ...text.matchAll(/`([^`\n]+)`/g),
    ...text.matchAll(/^ {4}(.+)$/gm),
  ];
  return code
    .flatMap(([, block = '']) => block.split(/\n|;|\||&&|#/))
    .flatMap((line) => {
      const [, command, rest = ''] = /(?:^|[\s(])tieup (?:-C \S+ )?([a-z][a-z-]*)\b(.*)/.exec(line) ?? [];
      if (command === undefined || /^(?:error|hint|demo-)/.test(line)) return [];
      const flags = [...rest.replaceAll(/"[^"]*"/g, '').matchAll(/(?:^|\s)(--?[a-zA-Z][a-z-]*)/g)].map(
        ([, flag = '']) => flag,
      );
      return [{ document, command, flags }];
    });
}

const calls = DOCUMENTS.flatMap(callsIn);

describe('the documentation', () => {
  test('names commands that exist', () => {
    const known = new Set([...CATALOG.map(({ name }) => name), 'help']);
    expect(calls.length).toBeGreaterThan(60);
    expect(calls.filter(({ command }) => !known.has(command))).toEqual([]);
  });

  test('names flags that exist', () => {
    const wrong = calls.flatMap(({ document, command, flags }) => {
      // A command with many verbs has a file for each group of them: keys.ts, keys-rotate.ts.
      const files = readdirSync(join(ROOT, 'src/cli/commands')).filter(
        (file) => file === `${command}.ts` || file.startsWith(`${command}-`),
      );
      const source = files.map((file) => read(`src/cli/commands/${file}`)).join('');
      return flags
        .filter((flag) => !GLOBAL_FLAGS.includes(flag) && !new RegExp(`['\\s]${flag}[\\s',]`).test(source))
        .map((flag) => `${document}: tieup ${command} ${flag}`);
    });
    expect(calls.flatMap(({ flags }) => flags).length).toBeGreaterThan(30);
    expect(wrong).toEqual([]);
  });

  test('describes every command somewhere in the guides', () => {
    const described = new Set(calls.map(({ command }) => command));
    const hidden = new Set(['tuf-client', 'demo']);
    expect(CATALOG.map(({ name }) => name).filter((name) => !described.has(name) && !hidden.has(name))).toEqual([]);
  });

  test('lists every error code with its exit code', () => {
    const listed = [...read('docs/protocol.md').matchAll(/^\| `(TIEUP_E_\w+)` \| (\d+) \|/gm)].map(([, code, exit]) => [
      code,
      Number(exit),
    ]);
    const codes = [...read('src/errors.ts').matchAll(/^ {2}(TIEUP_E_\w+): EXIT\./gm)].map(([, code]) => code);
    expect(listed.map(([code]) => code)).toEqual(codes);
    for (const [code, exit] of listed) {
      if (!isCode(code)) throw new Error(`${code} is no code`);
      expect(new TieupError(code, 'a fault').exitCode).toBe(exit);
    }
  });

  test('lists every exit code in the README', () => {
    const section = read('README.md').split('## Exit codes')[1]?.split('\n## ')[0] ?? '';
    const listed = [...section.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(listed).toEqual(Object.values(EXIT));
  });

  test('links to files that exist', () => {
    const dead = DOCUMENTS.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:)([^)#\s]+)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(ROOT, dirname(document), target)))
        .map((target) => `${document}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  test('names sources that exist', () => {
    const named = DOCUMENTS.flatMap((document) =>
      [
        ...read(document).matchAll(
          /[`[]((?:protocol|merge|io|publish|content|main-site|partner-site|cli)\/[a-z-]+\.ts)/g,
        ),
      ].map(([, path = '']) => path),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !existsSync(join(ROOT, 'src', path)))).toEqual([]);
  });

  test('keeps the README short enough to be read', () => {
    expect(read('README.md').split('\n').length).toBeLessThan(200);
  });
});

function isCode(text: string | number | undefined): text is ErrorCode {
  return typeof text === 'string' && text.startsWith('TIEUP_E_');
}
