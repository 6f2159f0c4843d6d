/** The first things that somebody types. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Ended, type Script, script, start } from '../support/script.ts';

const BIN = fileURLToPath(new URL('../../bin/tieup.js', import.meta.url));
const PACKAGE = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

/** As a process, which these tests are about. */
function typed({ folder }: Script, words: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  return start(words, folder, { HOME: folder, PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', ...environment });
}

describe('tieup', () => {
  test('--version prints the version of the package', async () => {
    const { exitCode, stdout, stderr } = await typed(await script(), ['--version']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(PACKAGE).toContain(`"version": "${stdout.trim()}"`);
  });

  test('--version loads none of the code', async () => {
    const { stdout, stderr } = await typed(await script(), ['--version'], { NODE_DEBUG: 'esm,module' });
    expect(stdout).toMatch(/^\d/);
    expect(stderr).toContain('tieup.js');
    expect(stderr).not.toContain('run.js');
  });

  test('--help and no word at all print the commands', async () => {
    const shell = await script();
    const help = await typed(shell, ['--help']);
    expect(help.exitCode).toBe(0);
    expect(help.stdout).toContain('Usage: tieup');
    expect(help.stdout).toContain('init');
    expect(await typed(shell, [])).toEqual(help);
  });

  test('an unknown command ends with 64 and a suggestion', async () => {
    expect(await typed(await script(), ['inti'])).toEqual({
      exitCode: 64,
      stdout: '',
      stderr: "error: unknown command 'inti'\nhint: did you mean init?\n",
    });
  });

  test('a fault that nothing waits for ends it with 1 and its own words, as any other does', async () => {
    const shell = await script();
    const stray = `data:text/javascript,setImmediate(() => void Promise.reject(new Error('a stray fault')))`;
    const tieup = (...words: string[]) => typed(shell, words, { NODE_OPTIONS: `--import=${encodeURI(stray)}` });
    const spoken = await tieup('schema', 'push');
    expect(spoken).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('unexpectedly: a stray fault') });
    const { exitCode, stdout } = await tieup('status', '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'tieup.error/v1', exitCode: 1 });
  });

  test('works without its packages beside it, and brings their licences', async () => {
    const { folder, read } = await script();
    for (const part of ['bin', 'dist/cli', 'package.json', 'templates']) {
      await cp(fileURLToPath(new URL(`../../${part}`, import.meta.url)), join(folder, part), { recursive: true });
    }
    const tieup = (...words: string[]) => {
      const environment = { PATH: process.env['PATH'] ?? '', TIEUP_PASSWORD: 'correct horse' };
      return start(words, folder, environment, join(folder, 'bin', 'tieup.js'));
    };
    const site = ['init', 'site', '--role', 'main', '--name', 'Docs', '--url', 'https://docs.example/'];
    expect(await tieup(...site)).toMatchObject({ exitCode: 0 });
    expect(await tieup('-C', 'site', 'build')).toMatchObject({ exitCode: 0 });
    const lines = (await read('dist/cli/LICENSES.txt')).split('\n');
    const outside = Object.entries(JSON.parse(PACKAGE).dependencies).flatMap(([name, version]) =>
      lines.some((line) => line.startsWith(`${name} ${String(version)}, `)) ? [] : name,
    );
    // Those that look for native parts beside themselves stay where npm puts them.
    expect(outside).toEqual(['ssh2', 'ssh2-sftp-client']);
  });

  test('a reader that goes away early is no failure', async () => {
    const child = spawn(process.execPath, [BIN, 'schema', 'partnership'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const [exitCode] = await once(child, 'close');
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
  });
});
