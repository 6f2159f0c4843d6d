/** Starting a site. */
import { describe, expect, test } from 'vitest';
import { script } from '../support/script.ts';

const MAIN = ['init', '--role', 'main', '--name', 'Northwind Coffee', '--url', 'https://northwind.example/'];
const PASSWORD = { TIEUP_PASSWORD: 'correct horse' };

describe('tieup init --role main', () => {
  test('writes a folder with keys that only the owner can read', async () => {
    const { run, exists, mode, read } = await script();
    const { exitCode, stdout, stderr } = await run(MAIN, PASSWORD);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('+ tieup.yaml');
    expect(stdout).toContain('tieup invite harbour');
    // A first root needs both root keys, so the spare leaves after the invitation.
    expect(stdout.split('tieup invite harbour')[1]).toContain('move keys/root-spare.key to another medium');
    const names = ['root', 'root-spare', 'release', 'online', 'document', 'ssh'];
    for (const name of names) expect(mode(`keys/${name}.key`)).toBe(0o600);
    for (const name of names.slice(0, -1)) {
      expect(await read(`keys/${name}.key`)).toContain('ENCRYPTED SIGSTORE PRIVATE KEY');
    }
    expect(await read('partners/harbour.yaml')).toContain('mount: "/with-northwind-coffee/"');
    for (const path of ['templates/page.html', 'assets/style.css', 'schemas/main-site.json', '.gitignore']) {
      expect(exists(path)).toBe(true);
    }
  });

  test('over existing files ends with 1, names them all, and changes nothing', async () => {
    const { run, exists, read, write } = await script();
    await write('tieup.yaml', 'mine');
    await write('pages/index.md', 'mine');
    const { exitCode, stderr } = await run(MAIN, PASSWORD);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('\n  tieup.yaml: exists already\n');
    expect(stderr).toContain('\n  pages/index.md: exists already\n');
    expect(await read('tieup.yaml')).toBe('mine');
    for (const path of ['keys', 'partners', 'templates', 'pages/visit.md']) expect(exists(path)).toBe(false);
  });

  test('without a password and nobody to ask ends with 4 at once, and writes nothing', async () => {
    const { run, exists } = await script();
    const { exitCode, stderr } = await run([...MAIN.slice(0, 1), 'site', ...MAIN.slice(1)]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('TIEUP_PASSWORD');
    expect(exists('site')).toBe(false);
  });

  test('with a password that is found in no time ends with 4, and writes nothing', async () => {
    const { run, exists } = await script();
    const { exitCode, stderr } = await run([...MAIN.slice(0, 1), 'site', ...MAIN.slice(1)], {
      TIEUP_PASSWORD: 'sesame1',
    });
    expect(exitCode).toBe(4);
    expect(stderr).toContain('7 characters are too few for a new password: 8 at least');
    expect(exists('site')).toBe(false);
  });

  test('without its flags and nobody to ask ends with 64 and names the flag', async () => {
    const { run, exists } = await script();
    const { exitCode, stderr } = await run(['init', 'site'], PASSWORD);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--role is needed');
    expect(exists('site')).toBe(false);
  });
});

describe('tieup init --role partner', () => {
  test('writes original pages and says how to join', async () => {
    const { run, exists, read } = await script();
    const { exitCode, stdout } = await run(['init', 'shop', '--role', 'partner', '--name', 'Harbour Books']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('tieup join <invitation>');
    expect(exists('shop/slots/README.md')).toBe(true);
    expect(await read('shop/original/index.html')).toContain('<title>Harbour Books</title>');
  });
});
