/** Writing pages with a browser beside the editor. */
import { spawn } from 'node:child_process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BIN, type Script, script } from '../support/script.ts';

const FILES = {
  'tieup.yaml': 'role: main\nsite:\n  name: Northwind Coffee\n  url: https://northwind.example/\n',
  'partners/harbour.yaml':
    'id: harbour\nname: Harbour Books\nurl: https://harbour.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n',
  'partners/moor.yaml':
    'id: moor\nname: Moor\nurl: https://moor.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n',
  'templates/page.html':
    '<!doctype html>\n<html lang="en"><head><title>{{ page.title }}</title></head>\n<body><slot name="content"></slot></body></html>\n',
  'pages/index.md': '---\ntitle: Our coffee\n---\n\n# At {{ partner.name }}\n',
  'pages/visit.md':
    '---\ntitle: Visit\ninherit: framework\nslots:\n  hours:\n    description: When\n    required: false\n---\n\n<slot name="hours">\n\nAsk.\n\n</slot>\n',
};

async function site(): Promise<Script> {
  const made = await script();
  for (const [path, text] of Object.entries(FILES)) await made.write(path, text);
  return made;
}

/** `tieup preview` until the test is over; what it printed first is its address. */
async function preview(made: Script, words: readonly string[] = []) {
  const child = spawn(process.execPath, [BIN, 'preview', '--port', '0', ...words], { cwd: made.folder });
  const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => void said.push(String(chunk)));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(said.join(''))));
    child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk).trim()));
  });
  /** The page of a partner, and where it is. */
  const page = async (path: string) => {
    const answer = await fetch(new URL(path, url));
    const html = await answer.text();
    return { status: answer.status, at: answer.url, html, version: /data-version="([0-9a-f]+)"/.exec(html)?.[1] ?? '' };
  };
  /** Resolves when a browser that shows the page would ask for it again. */
  const reload = async ({ at, version }: { readonly at: string; readonly version: string }): Promise<string> => {
    const { origin, pathname } = new URL(at);
    const query = new URLSearchParams({ address: pathname, version });
    return (await fetch(`${origin}/.tieup/events?${query}`)).text();
  };
  /** The page at an address once it shows `text`: a save can be noticed twice, and then the first reload shows what was. */
  const shows = async (text: string, shown: { readonly at: string; readonly version: string }) => {
    let now = await page(shown.at);
    while (!now.html.includes(text)) {
      expect(await reload(now)).toContain('event: reload');
      now = await page(shown.at);
    }
    return now;
  };
  const interrupt = async () => {
    child.kill('SIGINT');
    return ended;
  };
  return { url, page, reload, shows, interrupt, said: () => said.join('') };
}

describe('tieup preview', () => {
  test('shows each partner its pages, follows what is saved, shows what is wrong, and ends at Ctrl-C', async () => {
    const made = await site();
    const { url, page, reload, shows, interrupt } = await preview(made);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const start = await page('/');
    expect(start.html).toContain('href="/to/harbour/with-main/"');
    const [harbour, moor] = [await page('/to/harbour/with-main/'), await page('/to/moor/with-main/')];
    expect(harbour.html).toContain('At Harbour Books</h1>');
    expect(moor.html).toContain('At Moor');
    expect(new URL(moor.at).port).not.toBe(new URL(harbour.at).port);

    const told = reload(harbour);
    await made.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Bad {{ nothing.at.all }}\n');
    expect(await told).toContain('event: reload');
    const wrong = await shows('pages/index.md:5:7', harbour);
    expect(wrong.status).toBe(500);

    const again = reload(wrong);
    await made.write('pages/index.md', FILES['pages/index.md'].replace('# At', '# Again at'));
    expect(await again).toContain('event: reload');
    await shows('Again at Harbour Books', harbour);
    expect(await interrupt()).toBe(0);
  });

  test('notices a partner that is added while it runs', async () => {
    const made = await site();
    const { page, reload, shows } = await preview(made);
    const start = await page('/');
    const told = reload(start);
    await made.write('partners/bay.yaml', FILES['partners/moor.yaml'].replaceAll(/moor/gi, 'bay'));
    expect(await told).toContain('event: reload');
    await shows('/to/bay/with-main/', start);
    expect((await page('/to/bay/with-main/')).html).toContain('At bay');
  });

  test('shows a partner’s own pages beside, and its slots filled', async () => {
    const made = await site();
    await made.write('shop/original/index.html', 'my home');
    await made.write('shop/slots/visit/hours.md', 'Ten to **six**.\n');
    const { page, reload, shows } = await preview(made, ['--partner', 'harbour', '--originals', 'shop']);
    expect((await page('/to/harbour/')).html).toContain('my home');
    const visit = await page('/to/harbour/with-main/visit.html');
    expect(visit.html).toContain('Ten to <strong>six</strong>.');
    const told = reload(visit);
    await made.write('shop/slots/visit/hours.md', 'Ten to *seven*.\n');
    expect(await told).toContain('event: reload');
    await shows('Ten to <em>seven</em>.', visit);
  });

  test('leaves nothing of its own in a build', async () => {
    const made = await site();
    const { page } = await preview(made);
    expect((await page('/to/harbour/with-main/')).html).toContain('/.tieup/preview.js');
    await made.run(['build']);
    expect(await made.read('build/harbour/with-main/index.html')).not.toContain('preview');
  });

  test('refuses what it cannot do, and says why', async () => {
    const made = await site();
    await made.write('shop/original/index.html', 'x');
    await made.write('main-site/tieup.yaml', FILES['tieup.yaml']);
    const refused = async (...words: string[]) => {
      const { exitCode, stdout, stderr } = await made.run(['preview', ...words]);
      expect(stdout).toBe('');
      return `${exitCode} ${stderr}`;
    };
    expect(await refused('--port', 'http')).toMatch(/^64 .*--port "http"/);
    expect(await refused('--port', '70000')).toMatch(/^64 /);
    expect(await refused('--partner', 'harbor')).toMatch(/^64 [\s\S]*harbour/);
    expect(await refused('--originals', 'shop')).toMatch(/^64 [\s\S]*--partner/);
    expect(await refused('--originals', 'nowhere', '--partner', 'moor')).toMatch(/^1 .*nowhere/);
    expect(await refused('--originals', 'main-site', '--partner', 'moor')).toMatch(/^64 .*main site/);
    expect(await refused('--at', 'soon')).toMatch(/^64 /);
    await made.write('tieup.yaml', 'role: main\n');
    expect(await refused()).toMatch(/^78 /);
  });

  test('says when its port is taken', async () => {
    const made = await site();
    const { url } = await preview(made);
    const { exitCode, stderr } = await made.run(['preview', '--port', new URL(url).port]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('another program uses port');
  });
});
