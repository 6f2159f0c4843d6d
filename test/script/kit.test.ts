/** The kit on its way from `tieup invite` to `tieup join`. */
import { existsSync } from 'node:fs';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { invited, MADE, SECRET } from '../support/invited-partner.ts';
import { script } from '../support/script.ts';

describe('the kit of an invitation', () => {
  test('is looked for beside it, checked, and laid out in kit/', async () => {
    const shop = await invited();
    await copyFile(join(shop.folder, 'main/harbour.kit'), shop.at('harbour.kit'));
    const { exitCode, stdout } = await shop.join();
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('5 files in kit/')]);
    for (const file of ['guidance.md', 'tokens.css', 'template.html', 'logo.svg', 'pages/sample.html']) {
      const sent = await readFile(join(shop.folder, 'main/kit', file), 'utf8');
      expect(await readFile(shop.at(`kit/${file}`), 'utf8')).toBe(sent);
    }
  });

  test('is asked for when it is missing, and can be named or done without', async () => {
    const shop = await invited();
    const missing = await shop.join();
    expect([missing.exitCode, missing.stderr]).toEqual([1, expect.stringContaining('--no-kit')]);
    for (const made of MADE) expect(existsSync(shop.at(made))).toBe(false);
    const without = await shop.join('--no-kit');
    expect([without.exitCode, existsSync(shop.at('kit')), existsSync(shop.at('tieup.yaml'))]).toEqual([0, false, true]);
  });

  test('is refused when one byte is other than it was, and nothing is made', async () => {
    const shop = await invited();
    const kit = await readFile(join(shop.folder, 'main/harbour.kit'));
    const last = kit.length - 1;
    await writeFile(
      shop.at('altered.kit'),
      kit.map((byte, index) => (index === last ? byte ^ 1 : byte)),
    );
    const { exitCode, stderr } = await shop.join('--kit', 'altered.kit');
    expect([exitCode, stderr]).toEqual([5, expect.stringContaining('not the one that the invitation names')]);
    for (const made of MADE) expect(existsSync(shop.at(made))).toBe(false);
  });

  test('is none when the main site has no kit folder', async () => {
    const shop = await invited((main) => rm(join(main, 'kit'), { recursive: true }));
    expect(existsSync(join(shop.folder, 'main/harbour.kit'))).toBe(false);
    const { exitCode, stdout } = await shop.join();
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('kit/');
  });

  test('cannot hold what a web server would execute; then nobody is invited', async () => {
    const shop = await script();
    const northwind = ['--name', 'Northwind Coffee', '--url', 'https://northwind.example/'];
    await shop.run(['init', '--role', 'main', ...northwind], SECRET);
    await shop.write('kit/hello.php', '<?php');
    const { exitCode, stderr } = await shop.run(['invite', 'harbour'], SECRET);
    expect([exitCode, stderr]).toEqual([
      78,
      expect.stringContaining('"hello.php" has a type that web servers execute'),
    ]);
    expect(existsSync(join(shop.folder, 'harbour.invitation'))).toBe(false);
  });
});
