/** A real nginx writes the access log, a real logrotate rotates it, and exports are killed in between. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PASSWORD, startPartnership } from '../support/cli-partnership.ts';
import { startNginx } from '../support/nginx.ts';
import { realPart } from '../support/real-parts.ts';

const BIN = resolve(import.meta.dirname, '../../bin/tieup.js');
const nginx = realPart('nginx');
const logrotate = realPart('logrotate');
const TIE_UP = '/with-northwind-coffee/';

async function trading(program: string) {
  const sites = await startPartnership();
  onTestFinished(() => sites.dispose());
  await sites.publish();
  const { shop } = sites;
  const log = join(shop, 'log/access.log');
  mkdirSync(dirname(log));
  writeFileSync(join(shop, 'tieup.yaml'), '\nlogs:\n  sources:\n    - files: log/access.log*\n', { flag: 'a' });
  const server = await startNginx(program, join(shop, 'public'), log);
  let isUp = true;
  const stop = async (): Promise<void> => {
    if (isUp) await server.stop();
    isUp = false;
  };
  onTestFinished(stop);
  // It was asked whether it is up, once, and answered.
  const made = { T: 0, O: 1 };
  return {
    sites,
    log,
    server,
    made,
    stop,
    async visit(count: number) {
      for (let each = 0; each < count; each += 1) {
        const isTieUp = each % 3 !== 0;
        const answer = await fetch(`http://127.0.0.1:${server.port}${isTieUp ? TIE_UP : `/own-${each}.html`}`);
        await answer.arrayBuffer();
        made[isTieUp ? 'T' : 'O'] += 1;
      }
    },
  };
}

type Trading = Awaited<ReturnType<typeof trading>>;

/** Until all that was answered stands in one of the files: nginx writes a line after its answer. */
async function settled({ log, made }: Trading): Promise<void> {
  const folder = dirname(log);
  const written = (): number =>
    readdirSync(folder).reduce((sum, name) => sum + linesIn(readFileSync(join(folder, name)), name), 0);
  while (written() < made.T + made.O) await new Promise((done) => setImmediate(done));
}

function linesIn(bytes: Uint8Array, name: string): number {
  return (name.endsWith('.gz') ? gunzipSync(bytes) : Buffer.from(bytes)).toString().split('\n').length - 1;
}

/** `logrotate --force` with these directives. */
async function rotate({ sites, log, server }: Trading, directives: string): Promise<void> {
  const conf = join(sites.shop, 'logrotate.conf');
  const reopen = `postrotate\n  kill -USR1 ${server.pid}\nendscript`;
  writeFileSync(conf, `${log} {\n  rotate 9\n  missingok\n  ${directives.replace('reopen', reopen)}\n}\n`);
  chmodSync(conf, 0o644);
  await promisify(execFile)(logrotate ?? '', ['--force', '--state', join(sites.shop, 'rotation'), conf]);
}

/** `tieup logs export`, killed with SIGKILL as soon as it holds the lock. */
async function killedExport({ sites: { shop } }: Trading): Promise<void> {
  const env = { HOME: dirname(shop), PATH: process.env['PATH'] ?? '', TIEUP_PASSWORD: PASSWORD };
  const child = spawn(process.execPath, [BIN, 'logs', 'export'], { cwd: shop, env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const lock = join(shop, 'state/logs/lock');
  // Not in the moment between the lock and its name, after which the next run waits for a minute.
  const holds = (): boolean => {
    try {
      return readFileSync(lock, 'utf8').includes(`"pid":${child.pid},`);
    } catch {
      // Not there yet, or gone already.
      return false;
    }
  };
  while (!holds() && child.exitCode === null) await new Promise((done) => setImmediate(done));
  child.kill('SIGKILL');
  await ended;
}

async function countsOf({ sites }: Trading, ...words: readonly string[]): Promise<unknown> {
  return JSON.parse(await sites.tieup(sites.shop, 'logs', ...words, '--json'));
}

describe.skipIf(nginx === undefined || logrotate === undefined)('access logs that logrotate rotates', () => {
  it(
    'are read once, line by line, whatever it does and whenever an export is killed',
    { timeout: 240_000 },
    async () => {
      const shop = await trading(nginx ?? '');
      await shop.visit(9);
      await settled(shop);
      await run(shop, 'commit');

      // By name: nginx goes on writing into the renamed file until it is told.
      await shop.visit(6);
      await settled(shop);
      await Promise.all([rotate(shop, 'nocreate\n  reopen'), shop.visit(12)]);
      await killedExport(shop);
      await run(shop, 'commit');

      // A copy, and the file cut short.
      await shop.visit(6);
      await settled(shop);
      await rotate(shop, 'copytruncate');
      await killedExport(shop);
      await shop.visit(6);
      await settled(shop);
      await run(shop, 'export');

      // Compressed at once, and again before anything was read of the new file.
      await shop.visit(6);
      await settled(shop);
      await rotate(shop, 'compress\n  copytruncate');
      await shop.visit(6);
      await settled(shop);
      await killedExport(shop);
      await rotate(shop, 'compress\n  copytruncate');
      await shop.visit(3);
      await shop.stop();

      expect(readdirSync(dirname(shop.log)).filter((name) => name.endsWith('.gz')).length).toBeGreaterThan(1);
      const { T, O } = shop.made;
      expect(await countsOf(shop, 'export')).toMatchObject({ counts: { lines: T + O, T, O, X: 0, G: 0 } });
      expect(await shop.sites.tieup(shop.sites.main, 'logs', 'pull')).toContain(
        `in all ${T + O} lines = ${T} + ${O} + 0`,
      );
    },
  );
});

async function run({ sites: { tieup, shop } }: Trading, verb: string): Promise<void> {
  await tieup(shop, 'logs', verb);
}
