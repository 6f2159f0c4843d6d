/** The walkthrough of examples/README.md, line by line as a reader would type it, against the embedded SFTP server. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { digestIn, loginInto, PASSWORD, wordsIn } from '../support/cli-partnership.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMPLES = join(ROOT, 'examples');

/** The lines of every block that the README marks as shell. */
function commandsIn(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.trim().split('\n'));
}

interface Reader {
  readonly folder: string;
  /** Types one line; what stands in angle brackets is filled in from what was shown last. Returns stdout. */
  readonly type: (line: string) => Promise<string>;
}

async function reader(): Promise<Reader> {
  const home = await temporaryFolder();
  const [folder, bin] = [join(home, 'tour'), join(home, 'bin')];
  await cp(EXAMPLES, folder, { recursive: true });
  await mkdir(bin);
  await writeFile(join(bin, 'tieup'), `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'bin/tieup.js')}" "$@"\n`);
  await chmod(join(bin, 'tieup'), 0o755);
  const env: NodeJS.ProcessEnv = {
    HOME: home,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    LANG: 'C.UTF-8',
    TIEUP_PASSWORD: PASSWORD,
  };
  let shown = '';
  return {
    folder,
    async type(line) {
      if (/\$(?:HOSTEL|CAMP)\b/.test(line)) {
        for (const partner of ['hostel', 'camp']) {
          const name = partner.toUpperCase();
          if (env[name] !== undefined) continue;
          const login = await loginInto(join(folder, partner), join(folder, 'main'));
          onTestFinished(() => login.dispose());
          env[name] = `sftp://main@127.0.0.1:${login.server.port}/exchange`;
        }
      }
      const filled = line
        .replace('<six words>', () => wordsIn(shown))
        .replace('<release digest>', () => digestIn(shown));
      ({ stdout: shown } = await promisify(execFile)('bash', ['-euc', filled], { cwd: folder, env }));
      return shown;
    },
  };
}

test('the walkthrough of the examples works as printed, and leaves the partners their own pages', async () => {
  const { folder, type } = await reader();
  const read = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');
  const commands = commandsIn(await readFile(join(EXAMPLES, 'README.md'), 'utf8'));
  expect(commands.length).toBeGreaterThan(20);

  const seen = new Map<string, string>();
  for (const command of commands) seen.set(command, await type(command));

  expect(seen.get('tieup -C main push --message "The new season"')).toMatch(
    /camp: release 1 pushed[\s\S]*hostel: release 1 pushed/,
  );
  expect(seen.get('tieup -C main status')).toMatch(/camp +✓ live[\s\S]*hostel +✓ live/);
  // The same page: the hostel's words in its slots, the main site's own at the campsite.
  const [hostel, camp] = [await read('hostel/public/with-lantern/rent.html'), await read('camp/www/bikes/rent.html')];
  expect(hostel).toContain('Rent a bike at Harbour Hostel');
  expect(hostel).toContain('Mira has the keys; ring twice.');
  expect(hostel).toContain('<li>guests of the hostel: 10 € a day, the night is free</li>');
  expect(hostel).not.toContain('Ask at the desk');
  expect(camp).toContain('Ask at the desk of <a href="https://camp.example/">Moor Campsite</a>');
  expect(camp).toContain('A day is 14 €, a night is 9 €.');
  // Data, dates, another language, and what a partner looks like.
  expect(await read('camp/www/bikes/rides.html')).toMatch(
    /<th scope="row">Over the moor<\/th>.*with Jonas, on Fridays/s,
  );
  expect(await read('camp/www/bikes/news/index.html')).toMatch(
    /first frost ride.*October 30, 2026.*New lamps.*March 20, 2026/s,
  );
  expect(await read('camp/www/bikes/feed.xml')).toContain('<title>The first frost ride</title>');
  expect(await read('camp/www/bikes/de/index.html')).toMatch(
    /<html lang="de">.*Zum Inhalt springen.*admonition-title">Hinweis</s,
  );
  const start = await read('hostel/public/with-lantern/index.html');
  expect(start).toContain(':root { --partner: #b5472f; }');
  expect(start).toMatch(/<img class="logo" src="\/with-lantern\/assets\/partner\/logo\.[0-9a-f]{8}\.svg"/);
  // A link page keeps its text at the main site.
  for (const page of ['hostel/public/with-lantern/repairs.html', 'camp/www/bikes/repairs.html']) {
    expect(await read(page)).toContain('href="https://lantern.example/repairs.html"');
    expect(await read(page)).not.toContain('The whole list lives on our own site');
  }
  const assets = await readdir(join(folder, 'camp/www/bikes/assets'));
  const [picture] = assets.filter((name) => /^night-road\.[0-9a-f]{8}\.svg$/.test(name));
  expect(await read(`camp/www/bikes/assets/${picture}`)).toBe(await read('lantern/assets/night-road.svg'));
  // Their own pages are what they were.
  const own = [
    'hostel/original/index.html',
    'hostel/original/beds.html',
    'hostel/original/style.css',
    'camp/www/index.html',
  ];
  for (const path of own) expect(await readFile(join(folder, path))).toEqual(await readFile(join(EXAMPLES, path)));
  // In link mode the live tree holds copies of them.
  for (const name of ['index.html', 'beds.html', 'style.css']) {
    expect(await readFile(join(folder, 'hostel/public', name))).toEqual(
      await readFile(join(EXAMPLES, 'hostel/original', name)),
    );
  }
}, 180_000);
