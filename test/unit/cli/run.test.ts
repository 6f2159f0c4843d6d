import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CATALOG } from '../../../src/cli/catalog.ts';
import { run } from '../../../src/cli/run.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tieup-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function tieup(...argv: readonly string[]) {
  const terminal = fakeTerminal({ cwd: folder });
  const exitCode = await run(argv, terminal);
  return { exitCode, out: terminal.out(), err: terminal.err() };
}

describe('help', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']], [['--no-color']]])(
    'tieup %j lists every command, by role',
    async (argv) => {
      const { exitCode, out, err } = await tieup(...argv);
      expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
      for (const { name, group } of CATALOG.filter(({ hidden }) => hidden !== true)) {
        expect(out).toMatch(new RegExp(`^  ${name}[ |]`, 'm'));
        expect(out).toContain(`\n${group}\n`);
      }
      expect(out).toContain('Examples:');
    },
  );

  test.each([[['help', 'schema']], [['schema', '--help']]])(
    'tieup %j shows one command with examples and global options',
    async (argv) => {
      const { exitCode, out } = await tieup(...argv);
      expect(exitCode).toBe(0);
      expect(out).toContain('Usage: tieup schema');
      expect(out).toContain('$ tieup schema plan');
      expect(out).toContain('--json');
    },
  );

  test('every command has examples', async () => {
    for (const { name } of CATALOG) {
      const { exitCode, out } = await tieup('help', name);
      expect({ name, exitCode }).toEqual({ name, exitCode: 0 });
      expect(out).toMatch(new RegExp(`Examples:\\n  \\$ tieup ${name}`));
    }
  });

  test('the version is that of the package', async () => {
    expect((await tieup('--version', '--json')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a command line that is not understood ends with 64 and changes nothing', () => {
  test.each([
    ['an unknown command', ['shcema'], "error: unknown command 'shcema'\nhint: did you mean schema?\n"],
    ['an unknown command like no other', ['xyzzy'], "error: unknown command 'xyzzy'\nhint: run tieup --help\n"],
    ['an unknown option', ['--jsn'], "error: unknown option '--jsn'\nhint: did you mean --json?\n"],
    [
      'an unknown option of a command',
      ['init', '--rol'],
      "error: unknown option '--rol'\nhint: did you mean --role?\n",
    ],
    ['a missing argument', ['unlock'], "error: missing required argument 'partner'\nhint: run tieup unlock --help\n"],
    ['too many arguments', ['schema', 'partnership', 'x'], /^error: too many arguments for 'schema'/],
    ['a word that is no choice', ['init', '--role', 'x'], /^error: .*Allowed choices are main, partner\b/],
    ['a schema that there is not', ['schema', 'plam'], 'error: there is no schema "plam"\nhint: did you mean plan?\n'],
    ['an option without its value', ['-C'], /^error: option '-C, --cwd <folder>' argument missing\n/],
  ])('for %s', async (_what, argv, expected) => {
    const { exitCode, out, err } = await tieup(...argv);
    expect({ exitCode, out }).toEqual({ exitCode: 64, out: '' });
    expect(err).toMatch(expected);
  });

  test('as JSON where JSON was asked for', async () => {
    const { exitCode, out } = await tieup('shcema', '--json');
    expect(exitCode).toBe(64);
    expect(JSON.parse(out)).toEqual({
      schema: 'tieup.error/v1',
      code: 'TIEUP_E_USAGE',
      message: "unknown command 'shcema'",
      hint: 'did you mean schema?',
      problems: [],
      exitCode: 64,
    });
  });
});

describe('global options', () => {
  test('stand before or after the command', async () => {
    const before = await tieup('--json', 'schema', 'partnership');
    const after = await tieup('schema', 'partnership', '--json');
    expect(before).toEqual(after);
    expect(JSON.parse(after.out)).toMatchObject({ schema: 'tieup.schema/v1', name: 'partnership' });
  });

  test('-C works in another folder', async () => {
    await mkdir(join(folder, 'elsewhere'));
    const { exitCode, out } = await tieup(
      '-C',
      'elsewhere',
      'init',
      'shop',
      '--role',
      'partner',
      '--name',
      'Shop',
      '--json',
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ role: 'partner', folder: 'shop' });
    expect((await tieup('init', 'elsewhere/shop', '--role', 'partner', '--name', 'Shop')).exitCode).toBe(1);
  });
});

describe('nobody to ask', () => {
  test.each([
    ['the role', ['init'], '--role'],
    ['the name of a main site', ['init', '--role', 'main'], '--name'],
    ['the address of a main site', ['init', '--role', 'main', '--name', 'N'], '--url'],
    ['the name of a partner site', ['init', '--role', 'partner'], '--name'],
  ])('for %s: the flag is named, exit 64', async (_what, argv, flag) => {
    const { exitCode, out, err } = await tieup(...argv);
    expect({ exitCode, out }).toEqual({ exitCode: 64, out: '' });
    expect(err).toContain(`error: ${flag} is needed, because there is nobody to ask\n`);
  });
});

test('Ctrl-C while a command works ends with 130 and one word', async () => {
  const terminal = fakeTerminal({ cwd: folder, interruption: AbortSignal.abort() });
  await writeFile(join(folder, 'slots'), 'in the way');
  expect(await run(['init', '--role', 'partner', '--name', 'Shop'], terminal)).toBe(130);
  expect(terminal.err()).toBe('interrupted\n');
});
