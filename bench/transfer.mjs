// `tieup push` over a real sshd and a line with a delay, against what else brings files there.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openKey, renderPlainKey } from '../dist/protocol/key-file.js';
import { markdownFiles, unpackPages } from './corpus.mjs';
import { House } from './house.mjs';
import { median, must, PASSWORD, processorOfChildren, run, TIEUP } from './processes.mjs';
import { openLine, startSshd } from './sshd.mjs';
import { count, ratio, table } from './text.mjs';

const UPLOAD_DIR = fileURLToPath(new URL('upload-dir.mjs', import.meta.url));
/** Every so many-th file is changed. */
const CHANGED_EVERY = 100;
/** Who needs a round trip or more for each file takes minutes over a line with a delay. */
const WITH_SLOW_PEERS = process.env['TIEUP_BENCH_SLOW'] === '1';

/** @typedef {{ name: string, roundTripMs: number, megabits?: number }} Line */
/** @type {readonly Line[]} */
const LINES = [
  { name: '0 ms', roundTripMs: 0 },
  { name: '20 ms', roundTripMs: 20 },
  { name: '80 ms', roundTripMs: 80 },
  { name: '20 ms, 50 Mbit/s', roundTripMs: 20, megabits: 50 },
];
/** Names of lines, with semicolons between them; all unless given. A run over all takes long. */
const WANTED = process.env['TIEUP_BENCH_LINES']?.split(';');
const ROUNDS = Number(process.env['TIEUP_BENCH_ROUNDS'] ?? 5);

/**
 * A main site with so many files, one partner, a server, and the folders that the peers copy to.
 */
class Road {
  /**
   * @param {House} house
   * @param {string} folder
   * @param {import('./sshd.mjs').Sshd} sshd
   */
  constructor(house, folder, sshd) {
    this.house = house;
    this.folder = folder;
    this.sshd = sshd;
    this.source = join(house.main, 'assets', 'docs');
    this.target = join(folder, 'target');
    this.saved = join(folder, 'saved');
    this.port = sshd.port;
    /** @type {Record<string, string>} */
    this.keys = {};
  }

  /** @param {number} files */
  static async open(files) {
    const folder = mkdtempSync(join(tmpdir(), 'tieup-bench-transfer-'));
    const sshd = await startSshd(join(folder, 'ssh'));
    const house = new House(sshd);
    const road = new Road(house, folder, sshd);
    await house.build(1);
    await writeFiles(road.source, join(folder, 'corpus'), files);
    await house.enroll(1);
    writeFileSync(
      join(folder, 'known_hosts'),
      [sshd.port].map((port) => `[127.0.0.1]:${port} ${sshd.hostKey}\n`).join(''),
    );
    // As a CI job has them: secrets in its variables, without a password of their own.
    for (const name of ['release', 'online']) {
      const pem = readFileSync(join(house.main, 'keys', `${name}.key`), 'utf8');
      road.keys[`TIEUP_KEY_${name.toUpperCase()}`] = renderPlainKey(openKey(pem, PASSWORD));
    }
    road.save();
    return road;
  }

  get inbox() {
    return join(this.partner, 'exchange', 'inbox');
  }

  get partner() {
    return this.house.partners[0]?.folder ?? '';
  }

  /** Keeps what the main site remembers and what the partner has, for {@link rewind}. */
  save() {
    rmSync(this.saved, { recursive: true, force: true });
    const memory = join(this.house.main, '.tieup');
    mkdirSync(memory, { recursive: true });
    cpSync(memory, join(this.saved, 'memory'), { recursive: true });
    cpSync(this.partner, join(this.saved, 'partner'), { recursive: true, verbatimSymlinks: true });
  }

  rewind() {
    rmSync(join(this.house.main, '.tieup'), { recursive: true, force: true });
    rmSync(this.partner, { recursive: true, force: true });
    cpSync(join(this.saved, 'memory'), join(this.house.main, '.tieup'), { recursive: true });
    cpSync(join(this.saved, 'partner'), this.partner, { recursive: true, verbatimSymlinks: true });
  }

  /**
   * Lets everything go over this line until the function that it gives is called.
   * @param {Line} line
   */
  async over(line) {
    const proxy = await openLine(this.sshd.port, line);
    const use = (/** @type {number} */ port) => {
      const place = join(this.house.main, 'partners', 'partner-1.yaml');
      writeFileSync(place, readFileSync(place, 'utf8').replace(/(@127\.0\.0\.1:)\d+/, `$1${port}`));
      writeFileSync(join(this.folder, 'known_hosts'), `[127.0.0.1]:${port} ${this.sshd.hostKey}\n`);
      this.port = port;
    };
    use(proxy.port);
    return async () => {
      use(this.sshd.port);
      await proxy.close();
    };
  }

  /** @param {Record<string, string>} [environment] */
  push(environment = this.keys) {
    return must(process.execPath, [TIEUP, '-C', this.house.main, '--json', 'push'], { env: environment });
  }

  emptyTarget() {
    rmSync(this.target, { recursive: true, force: true });
    mkdirSync(this.target);
  }

  get sshOptions() {
    const { clientKey } = this.sshd;
    const known = join(this.folder, 'known_hosts');
    const options = ['IdentitiesOnly=yes', 'BatchMode=yes', `UserKnownHostsFile=${known}`, 'LogLevel=ERROR'];
    return ['-F', 'none', '-i', clientKey, ...options.flatMap((option) => ['-o', option])];
  }

  get login() {
    return `${this.sshd.user}@127.0.0.1`;
  }

  get ssh() {
    return ['ssh', '-p', String(this.port), ...this.sshOptions].join(' ');
  }

  /** @param {readonly string[]} options */
  rsync(options) {
    return must('rsync', [...options, '--delete', '-e', this.ssh, `${this.source}/`, `${this.login}:${this.target}/`]);
  }

  tarZstd() {
    const send = `tar -C ${this.source} -c . | zstd -q -1 -T2 | ${this.ssh} ${this.login} 'tar --zstd -x -C ${this.target}'`;
    return must('sh', ['-c', send]);
  }

  /** @param {number} parallel */
  lftp(parallel) {
    const script = `set cmd:fail-exit true; set sftp:connect-program "ssh -a -x ${this.sshOptions.join(' ')}"; open -p ${this.port} sftp://${this.sshd.user}:@127.0.0.1; mirror -R --delete --parallel=${parallel} ${this.source} ${this.target}`;
    return must('lftp', ['--norc', '-c', script]);
  }

  rclone() {
    const options = [
      `host=127.0.0.1`,
      `port=${this.port}`,
      `user=${this.sshd.user}`,
      `key_file=${this.sshd.clientKey}`,
    ];
    const remote = `:sftp,${options.join(',')},shell_type=unix:${this.target}`;
    return must('rclone', [
      'sync',
      this.source,
      remote,
      '--transfers',
      '8',
      '--checkers',
      '8',
      '--config',
      '/dev/null',
    ]);
  }

  scp() {
    return must('scp', [
      '-q',
      '-r',
      '-P',
      String(this.port),
      ...this.sshOptions,
      this.source,
      `${this.login}:${this.target}`,
    ]);
  }

  sftp() {
    const script = `printf 'put -r %s/. %s\\n' ${this.source} ${this.target} | sftp -q -b - -P ${this.port} ${this.sshOptions.join(' ')} ${this.login}`;
    return must('sh', ['-c', script]);
  }

  uploadDir() {
    const args = [UPLOAD_DIR, String(this.port), this.sshd.user, this.sshd.clientKey, this.source, this.target];
    return must(process.execPath, args);
  }

  async close() {
    await this.house.close();
    await this.sshd.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Files of about 10 KB: the pages of the corpus in a frame, again and again until there are enough.
 * @param {string} target
 * @param {string} scratch
 * @param {number} files
 */
async function writeFiles(target, scratch, files) {
  await unpackPages(scratch);
  const pages = markdownFiles(scratch).map((path) => readFileSync(join(scratch, path), 'utf8').replaceAll('<', '&lt;'));
  for (let number = 0; number < files; number++) {
    const folder = join(target, String(number % 40));
    mkdirSync(folder, { recursive: true });
    const turn = Math.floor(number / pages.length);
    const text = pages[number % pages.length] ?? '';
    const turned = text.slice(turn * 97) + text.slice(0, turn * 97);
    const frame = `<!doctype html><html lang="en"><title>Page ${number}</title><main><pre>`;
    writeFileSync(join(folder, `page-${number}.html`), `${frame}${turned}</pre></main></html>\n`);
  }
}

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {() => Promise<unknown> | void} [before] not measured
 * @property {() => Promise<unknown>} work
 * @property {number} [rounds] fewer for who takes minutes
 */

/**
 * Runs the contenders in turn; medians of wall and processor seconds of the client's whole processes.
 * @param {readonly Contender[]} contenders
 * @param {number} [rounds]
 */
async function measure(contenders, rounds = ROUNDS) {
  /** @type {Map<string, { wall: number[], processor: number[] }>} */
  const found = new Map(contenders.map(({ name }) => [name, { wall: [], processor: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, before, work, rounds: most = rounds } of contenders) {
      if (round >= most) continue;
      await before?.();
      const processor = processorOfChildren();
      const started = performance.now();
      await work();
      const costs = found.get(name);
      costs?.wall.push(performance.now() - started);
      costs?.processor.push(processorOfChildren() - processor);
    }
  }
  return [...found].map(([name, { wall, processor }]) => ({
    name,
    wall: median(wall) / 1000,
    processor: median(processor) / 1000,
  }));
}

/**
 * @param {string} title
 * @param {Awaited<ReturnType<typeof measure>>} found
 * @param {string} against
 */
function report(title, found, against) {
  const floor = found.find(({ name }) => name === against)?.wall ?? Number.NaN;
  const rows = found.map(({ name, wall, processor }) => [
    name,
    `${wall.toFixed(2)} s`,
    name === against ? '–' : ratio(wall, floor),
    `${processor.toFixed(2)} s`,
  ]);
  return `#### ${title}\n\n${table(['', 'wall', `against ${against}`, 'processor, client'], rows)}`;
}

/** @param {string} program */
async function isInstalled(program) {
  return (await run('sh', ['-c', `command -v ${program}`])).code === 0;
}

/**
 * @param {Road} road
 * @param {Line} line
 * @param {boolean} [slow] also who takes minutes over a line with a delay
 */
async function firstPush(road, line, slow = WITH_SLOW_PEERS && line.roundTripMs === 20 && line.megabits === undefined) {
  const emptied = () => road.emptyTarget();
  const z = line.megabits === undefined ? [] : ['-z'];
  const slowly = slow ? { rounds: 1 } : {};
  /** @type {Contender[]} */
  const contenders = [
    { name: `rsync -a${z.length > 0 ? 'z' : ''}`, before: emptied, work: () => road.rsync(['-a', ...z]) },
    { name: 'tieup push', before: () => road.rewind(), work: () => road.push() },
    { name: 'tieup push, keys with a password', before: () => road.rewind(), work: () => road.push({}) },
    { name: 'tar and zstd through a shell (bound)', before: emptied, work: () => road.tarZstd() },
  ];
  if (line.roundTripMs === 0 || slow) {
    if (await isInstalled('lftp')) {
      contenders.push({ name: 'lftp ×8', before: emptied, work: () => road.lftp(8), ...slowly });
      contenders.push({ name: 'lftp ×32', before: emptied, work: () => road.lftp(32), ...slowly });
    }
    if (await isInstalled('rclone'))
      contenders.push({ name: 'rclone ×8', before: emptied, work: () => road.rclone(), ...slowly });
    contenders.push({ name: 'uploadDir', before: emptied, work: () => road.uploadDir(), ...slowly });
  }
  if (line.roundTripMs === 0) {
    contenders.push({ name: 'sftp', before: emptied, work: () => road.sftp() });
    contenders.push({ name: 'scp', before: emptied, work: () => road.scp() });
  }
  return measure(contenders);
}

/**
 * Appends to every hundredth file.
 * @param {Road} road
 * @param {readonly string[]} paths
 * @param {string} word
 */
function change(road, paths, word) {
  for (let index = 0; index < paths.length; index += CHANGED_EVERY) {
    writeFileSync(join(road.source, paths[index] ?? ''), `<!-- ${word} -->\n`, { flag: 'a' });
  }
}

/**
 * What comes after the first push: the partner has accepted it, and has everything.
 * @param {Road} road
 */
async function pushAgain(road) {
  road.rewind();
  road.emptyTarget();
  const { stdout } = await road.push();
  const [{ releaseDigest = '' } = {}] = JSON.parse(stdout).partners;
  await must(process.execPath, [TIEUP, '-C', road.partner, 'accept', '--yes', releaseDigest]);
  // The receipt is seen, and the copy of the peers is complete.
  await road.push();
  await road.rsync(['-a']);
  const paths = readdirSync(road.source, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.html'),
  );
  let turn = 0;
  const changed = () => change(road, paths, `${(turn += 1)}`);
  const touched = () => {
    const now = new Date(Date.now() + (turn += 1) * 1000);
    for (const path of paths) utimesSync(join(road.source, path), now, now);
  };
  const pair = (/** @type {() => void} */ before) => [
    { name: 'rsync -a', before, work: () => road.rsync(['-a']) },
    // Both find the same change.
    { name: 'tieup push', work: () => road.push() },
  ];
  return [
    report('nothing changed, 20 ms', await measure(pair(() => {})), 'rsync -a'),
    report('1 % changed, 20 ms', await measure(pair(changed)), 'rsync -a'),
    report('the same bytes with fresh times, 20 ms', await measure(pair(touched)), 'rsync -a'),
  ];
}

export async function transfer() {
  /** @type {string[]} */
  const sections = [];
  for (const files of (process.env['TIEUP_BENCH_FILES'] ?? '1000,5000').split(',').map(Number)) {
    const road = await Road.open(files);
    try {
      for (const line of LINES) {
        if (WANTED !== undefined && !WANTED.includes(line.name)) continue;
        // Of many files the line without a delay and the usual one tell enough.
        if (files > 1000 && (line.roundTripMs === 80 || line.megabits !== undefined)) continue;
        const close = await road.over(line);
        const against = line.megabits === undefined ? 'rsync -a' : 'rsync -az';
        sections.push(report(`${count(files)} files, first push, ${line.name}`, await firstPush(road, line), against));
        if (files === 1000 && line.name === '20 ms') sections.push(...(await pushAgain(road)));
        await close();
      }
    } finally {
      await road.close();
    }
  }
  return [
    `Files of about 10 KB, OpenSSH's sshd on loopback behind a proxy with a delay; medians of ${ROUNDS} whole processes, in turn with their peers. A push reads and judges the files, plans, signs, locks, sends, and reads what the partner answered. The keys are variables of a CI job; with a password, scrypt takes its half second.`,
    'Processor time is that of the client. On a machine that others use too, wall times are of little worth and processor times of more.',
    ...sections,
  ].join('\n\n');
}
