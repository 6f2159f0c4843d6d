/**
 * Runs every command of docs/verify-without-tieup.md, in the order of the page, and compares what it prints with what the
 * page says; digests and signatures may differ, because pages may. `TIEUP_WRITE_DOCS=1` writes what was printed into the page.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { proveFrom } from '../../src/logs/certificate.ts';
import { exportLogs } from '../../src/partner-site/export-logs.ts';
import { ownKey } from '../../src/partner-site/own-keys.ts';
import { partnership } from '../support/partnership-fixture.ts';
import type { PartnerFixture } from '../support/partner-fixture.ts';
import { exported, hit, serve, withLogs } from '../support/shop-logs.ts';
import { type RealPart, realPart } from '../support/real-parts.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/verify-without-tieup.md');
const CONSOLE = /^```console\n([\s\S]*?)^```$/gm;
const NEEDS: readonly (readonly [RegExp, RealPart])[] = [
  [/\bsha256sum\b/, 'sha256sum'],
  [/\bjq\b/, 'jq'],
  [/\bopenssl\b/, 'openssl'],
  [/\bgo build\b/, 'go'],
];
/** Where Debian's golang-golang-x-mod-dev puts it. */
const SUMDB_NOTE = '/usr/share/gocode/src/golang.org/x/mod/sumdb/note';

interface Step {
  readonly command: string;
  readonly printed: string;
}

async function* inPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** `$ command`, `> more of it`, and lines that it printed. */
function stepsOf(block: string): readonly Step[] {
  return block
    .split(/^(?=\$ )/m)
    .filter((part) => part !== '')
    .map((part) => {
      const command = /^\$ .*\n(?:> .*\n)*/.exec(part)?.[0] ?? '';
      return { command, printed: part.slice(command.length) };
    });
}

const END_OF_STEP = '@@ end of step @@';

/** The block with what its commands print now. */
async function rerun(block: string, folder: string): Promise<string> {
  const steps = stepsOf(block);
  const lines = steps.map(({ command }) => `${command.replace(/^[$>] /gm, '')}echo '${END_OF_STEP}'`);
  const environment = { PATH: process.env['PATH'], HOME: folder, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
  const { stdout } = await promisify(execFile)('bash', ['-c', `exec 2>&1\n${lines.join('\n')}\n`], {
    cwd: folder,
    env: environment,
    timeout: 110_000,
  });
  const printed = stdout.split(`${END_OF_STEP}\n`);
  return steps.map(({ command }, index) => `${command}${printed[index] ?? ''}`).join('');
}

/** What may differ from one version of the pages to the next. */
function withoutDigests(text: string): string {
  return text.replace(/\b[0-9a-f]{64}\b/g, '#');
}

// A block may need what an earlier one has made.
describe('the commands of docs/verify-without-tieup.md', { shuffle: false }, async () => {
  const page = await readFile(PAGE, 'utf8');
  const blocks = [...page.matchAll(CONSOLE)].map(([, block = '']) => block);
  let shop: PartnerFixture;
  let after = page;

  beforeAll(async () => {
    ({ shop } = await partnership());
    const config = withLogs();
    await shop.accept(await shop.open({ config }));
    serve(shop, hit('/about/us.html'), hit('/with-main/'), hit('/with-main/story.html'));
    await exportLogs(await shop.open({ config }), { acceptGap: false, disclose: {} });
    const part = await readFile(shop.path(`exchange/outbox/logs/${(await exported(shop)).T.file?.digest}.part.gz`));
    const proof = await proveFrom(() => inPieces(part), [await ownKey(await shop.open(), 'log')], {
      kind: 'line',
      seq: 2,
    });
    await writeFile(join(shop.folder, 'line-2.proof'), proof);
    const programs = [...page.matchAll(/^```go\n([\s\S]*?)^```$/gm)].map(([, program = '']) => program);
    const names = ['verify-note.go', 'check-log.go'];
    if (programs.length !== names.length) throw new Error('the page has other programs');
    for (const [at, program] of programs.entries()) await writeFile(join(shop.folder, names[at] ?? ''), program);
  });

  test('are there', () => expect(blocks.flatMap(stepsOf).length).toBeGreaterThan(20));

  test.each(blocks.map((block) => [/\$ (.{0,60})/.exec(block)?.[1] ?? '', block]))(
    '%s …',
    async (_, block) => {
      const missing = NEEDS.some(([used, part]) => used.test(block) && realPart(part) === undefined);
      if (missing || (block.includes('go build') && !existsSync(SUMDB_NOTE))) return;
      const now = await rerun(block, shop.folder);
      const writing = process.env['TIEUP_WRITE_DOCS'] === '1';
      if (writing) await writeFile(PAGE, (after = after.replace(block, () => now)));
      expect(withoutDigests(now)).toBe(withoutDigests(writing ? now : block));
    },
    120_000,
  );
});
