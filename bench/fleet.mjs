// Many partners: one tieup against thirty-two rsyncs, with partners that are refused, hung or show another key among them; and
// what it costs when there is nothing to do.
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownFiles } from './corpus.mjs';
import { FleetHouse } from './fleet-house.mjs';
import { PASSWORD, run, TIEUP } from './processes.mjs';
import { count, memory, ratio, table, time } from './text.mjs';

const PARTNERS = 100;
const PAGES = 100;
/** 20 ms there and back. */
const ONE_WAY_MS = 10;
const CONCURRENCY = 32;
/** So many partners have nothing to do; TIEUP_FLEET says another number. */
const MANY = Number(process.env['TIEUP_FLEET'] ?? 10_000);

/** @typedef {{ milliseconds: number, processor: number, peak: number, code: number, stdout: string }} Timed */

/**
 * Runs a program and tells wall time, processor time of it and its children, and the most memory that one of them had.
 * @param {string} cwd
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<Timed>}
 */
async function timed(cwd, program, args) {
  const { stdout, stderr, code, milliseconds } = await run('/usr/bin/time', ['-f', '@@ %U %S %M', program, ...args], {
    cwd,
  });
  const [, user = 0, system = 0, kilobytes = 0] = (/@@ (\S+) (\S+) (\d+)\s*$/.exec(stderr) ?? []).map(Number);
  return { stdout, code, milliseconds, processor: (user + system) * 1000, peak: kilobytes / 1024 };
}

/** @param {string} folder @param {readonly string[]} words */
function push(folder, ...words) {
  return timed(folder, process.execPath, [TIEUP, 'push', '--json', '--concurrency', String(CONCURRENCY), ...words]);
}

/** @param {Timed} ran @returns {Record<string, number>} */
function tally({ stdout }) {
  /** @type {Record<string, number>} */
  const kinds = {};
  for (const { result } of JSON.parse(stdout).partners) kinds[result] = (kinds[result] ?? 0) + 1;
  return kinds;
}

export async function fleet() {
  return [await fanOut(), await nothingToDo()].join('\n\n');
}

async function fanOut() {
  const house = new FleetHouse();
  try {
    await house.build(PAGES, ONE_WAY_MS);
    const broken = /** @type {const} */ (['refused', 'hung', 'wrong key']);
    const reach = (/** @type {number} */ number) => (number % 20 < 3 ? (broken[number % 20] ?? 'well') : 'well');
    const ids = await house.enroll(PARTNERS, reach);
    const healthy = ids.filter((_, number) => reach(number) === 'well');

    const out = join(house.root, 'out');
    execFileSync(process.execPath, [TIEUP, 'build', '--partner', healthy[0] ?? '', '--out', out], {
      cwd: house.main,
      env: { ...process.env, TIEUP_PASSWORD: PASSWORD },
    });
    const ssh = `ssh -p ${house.port} -i ${join(house.root, 'peer')} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
    const peer = () =>
      timed(house.root, 'sh', [
        '-c',
        `printf '%s\\n' ${healthy.join(' ')} | xargs -P${CONCURRENCY} -I{} rsync -a --mkpath -e '${ssh}' ${out}/ 127.0.0.1:${house.root}/peer-{}/`,
      ]);

    const rsyncFirst = await peer();
    const first = await push(house.main, ...healthy);
    const rsyncAgain = await peer();
    const again = await push(house.main, ...healthy);
    const still = await push(house.main, ...healthy);
    const [page = ''] = markdownFiles(join(house.main, 'pages'));
    appendFileSync(join(house.main, 'pages', page), '\nChanged.\n');
    const mixed = await push(house.main, '--deadline', '1m');
    const { pushed = 0, failed = 0 } = tally(mixed);
    if (pushed !== healthy.length || failed !== PARTNERS - healthy.length)
      throw new Error(`not every healthy partner was reached: ${JSON.stringify(tally(mixed))}`);

    const row = (/** @type {string} */ name, /** @type {Timed} */ ran, /** @type {Timed} */ base) => [
      name,
      time(ran.milliseconds),
      time(ran.processor / healthy.length),
      memory(ran.peak),
      ratio(base.milliseconds, ran.milliseconds),
      ratio(base.processor, ran.processor),
    ];
    return [
      `${healthy.length} partners × ${PAGES} pages, 20 ms there and back, real sshd, ${CONCURRENCY} at a time; processor time is that of the client's processes, a partner.`,
      table(
        ['', 'wall time', 'processor a partner', 'most memory of a process', 'times faster', 'times less processor'],
        [
          row(`first: xargs -P${CONCURRENCY} rsync -a`, rsyncFirst, rsyncFirst),
          row('first: tieup push', first, rsyncFirst),
          row(`no change: xargs -P${CONCURRENCY} rsync -a`, rsyncAgain, rsyncAgain),
          row('no change: tieup push, which finds that', again, rsyncAgain),
          row('no change: tieup push, after one that found it', still, rsyncAgain),
        ],
      ),
      `With ${failed} more partners that refuse, hang or show another key, one page changed: all ${pushed} healthy ones were served, exit ${mixed.code}, ${time(mixed.milliseconds)} until the last hung one was given up.`,
    ].join('\n\n');
  } finally {
    await house.close();
  }
}

async function nothingToDo() {
  const house = new FleetHouse();
  try {
    await house.build(10, 0);
    await house.enroll(MANY, () => 'well');
    const first = await push(house.main);
    const again = await push(house.main);
    const still = await push(house.main);
    const status = await timed(house.main, process.execPath, [TIEUP, 'status', '--cached', '--json']);
    const row = (/** @type {string} */ name, /** @type {Timed} */ ran) => [
      name,
      time(ran.milliseconds),
      time(ran.processor),
      `${(ran.processor / MANY).toFixed(1)} ms`,
      memory(ran.peak),
    ];
    return [
      `${count(MANY)} partners × 10 pages, no delay. Aim for nothing to do, of 10,000 partners: at most 45 s of processor time, 150 MiB.`,
      table(
        ['', 'wall time', 'processor', 'processor a partner', 'most memory'],
        [
          row('first push', first),
          row('nothing to do', again),
          row('still nothing to do', still),
          row('tieup status --cached', status),
        ],
      ),
    ].join('\n\n');
  } finally {
    await house.close();
  }
}
