/** Mistakes in tieup.yaml, as somebody meets them. */
import { expect, test } from 'vitest';
import { script } from '../support/script.ts';

const MAIN = 'role: main\nsite:\n  name: Northwind\n  url: https://northwind.example/\n';

test('a misspelt key ends with 78 and says file, line, column and what was meant', async () => {
  const { run, write, exists } = await script();
  await write('tieup.yaml', `${MAIN}  langauge: de\n`);
  expect(await run(['build', '--out', 'out'])).toEqual({
    exitCode: 78,
    stdout: '',
    stderr:
      'error: tieup.yaml has 1 problem\n  tieup.yaml:5:3: unknown key `site.langauge` (did you mean `language`?)\n',
  });
  expect(exists('out')).toBe(false);
});

test('no tieup.yaml anywhere above ends with 78 and says how to start', async () => {
  const { run } = await script();
  const { exitCode, stderr } = await run(['build', '--out', 'out']);
  expect(exitCode).toBe(78);
  expect(stderr).toContain('error: there is no tieup.yaml in ');
  expect(stderr).toContain('tieup init');
});

test('tieup.yaml is found from a folder below', async () => {
  const { run, write } = await script();
  await write('tieup.yaml', `${MAIN}mount: /x/\n`);
  await write('pages/deep/index.md', '');
  const { exitCode, stderr } = await run(['-C', 'pages/deep', 'build', '--out', 'out']);
  expect(exitCode).toBe(78);
  expect(stderr).toContain('tieup.yaml:5:1: unknown key `mount`');
});

test('a command for the other side ends with 64 and says whose it is', async () => {
  const { run, write } = await script();
  await write('tieup.yaml', MAIN);
  const { exitCode, stderr } = await run(['merge']);
  expect(exitCode).toBe(64);
  expect(stderr).toContain('error: this command is for a partner site, but ');
});
