/** What `plan` and `push` say, and how they end, when something beside the release is not as it should be. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { json, mainCommands } from '../support/main-commands.ts';

const { sites, run, page } = mainCommands();

test('a plan and a push pass over a partner that has not joined yet, and say so', async () => {
  const text =
    'id: lighthouse\nname: Lighthouse\nurl: https://lighthouse.example/\nmount: /with-us/\nperiod:\n  from: "2026-01-01"\n';
  const file = join(sites().main, 'partners/lighthouse.yaml');
  await writeFile(file, text);
  const planned = await run('plan');
  expect(planned.exitCode).toBe(0);
  expect(planned.stderr).toContain('lighthouse: passed over, lighthouse has not joined yet');
  const passedOver = [{ partner: 'lighthouse', why: 'lighthouse has not joined yet' }];
  expect(json(await run('plan', '--json'))).toMatchObject({ partners: [{ partner: 'harbour' }], passedOver });
  expect(json(await run('push', '--json'))).toMatchObject({ partners: [{ result: 'pushed' }], passedOver });
  expect((await run('plan', 'lighthouse')).exitCode).toBe(11);
});

test('a push that is committed ends well although the answer is garbage, and says both; to wait for it fails', async () => {
  await sites().publish();
  const note = join(sites().shop, 'exchange/outbox/decision.note');
  await writeFile(note, 'garbage\n');
  await page('Second');
  const pushed = await run('push');
  expect(pushed.exitCode).toBe(0);
  expect(pushed.stdout).toContain('release 2 pushed');
  expect(pushed.stderr).toContain('harbour: committed, but the answer could not be read: ');
  const again = await run('push', '--json');
  expect(again.exitCode).toBe(0);
  expect(json(again)).toMatchObject({
    partners: [{ result: 'unchanged', warnings: [{ kind: 'answer', code: 'TIEUP_E_VERIFY' }] }],
  });
  const waited = await run('push', '--wait', '1m', '--json');
  expect(waited.exitCode).toBe(5);
  expect(json(waited)).toMatchObject({ partners: [{ answer: 'failed', error: { code: 'TIEUP_E_VERIFY' } }] });
  expect((await run('status')).stdout).toMatch(/harbour +✗ failed/);
});

test('a push mends an inbox from which somebody took the packs', async () => {
  await sites().tieup(sites().main, 'push');
  await rm(join(sites().shop, 'exchange/inbox/packs'), { recursive: true });
  const mended = await run('push');
  expect(mended.exitCode).toBe(0);
  expect(mended.stdout).toContain('harbour: nothing new, but');
  expect(json(await run('push', '--json'))).toMatchObject({ partners: [{ result: 'unchanged', warnings: [] }] });
});

test('pages that the terms forbid end build, plan and push with 78, each with its reason', async () => {
  await writeFile(join(sites().main, 'assets/one.js'), 'alert(1)\n');
  await writeFile(join(sites().main, 'assets/two.js'), 'alert(2)\n');
  for (const words of [['build', '--check'], ['plan'], ['push']]) {
    const refused = await run(...words);
    expect(refused.exitCode).toBe(78);
    expect(refused.stderr).toContain('the terms of harbour do not allow what its release contains');
    for (const name of ['one.js', 'two.js'])
      expect(refused.stderr).toMatch(new RegExp(`assets/${name}: a script file: the terms allow no scripts`));
    expect(refused.stderr).toContain('partners/harbour.yaml');
  }
});

test('a link that leads nowhere is named by build, plan and push, and holds up none of them', async () => {
  await page('Read [on](nowhere.md)');
  for (const words of [['build'], ['plan'], ['push']]) {
    const { exitCode, stderr } = await run(...words);
    expect({ words, exitCode }).toEqual({ words, exitCode: 0 });
    expect(stderr).toContain('warning: pages/index.md:5:8: "nowhere.md" does not lead to a page of this site');
  }
  for (const word of ['plan', 'push'])
    expect(json(await run(word, '--json'))).toMatchObject({ warnings: [{ file: 'pages/index.md', line: 5 }] });
});
