import { describe, expect, it } from 'vitest';
import { diffPages, renderDiff } from '../../../src/merge/diff.ts';
import { splice } from '../../../src/merge/splice.ts';
import { summarise, summaryDetails, summaryText } from '../../../src/merge/summary.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { resolvePlan } from '../../../src/publish/compose.ts';
import { objectStore } from '../../../src/publish/objects.ts';
import {
  encode,
  fill,
  goLive,
  layoutOf,
  makeRelease,
  makeSlots,
  memoryPorts,
  planFor,
  type PlanOptions,
} from '../../support/site-fixture.ts';

const html = (body: string) => encode(`<!doctype html><title>T</title>${body}`);
const diff = (before: string | undefined, after: string | undefined) =>
  renderDiff(diffPages(before === undefined ? undefined : html(before), after === undefined ? undefined : html(after)));

/** A page of numbers in an order of its own. */
const many = (seed: number) => Array.from({ length: 20_000 }, (_, index) => `<p>${(index * seed) % 7919}`).join('');
const part = (offset: number, length: number, text: string) => ({
  offset,
  length,
  digest: sha256(text),
  contentLength: text.length,
});

describe('the difference of two pages', () => {
  it('is nothing when only the markup differs', () => {
    expect(diff('<p>Hello   <b>you</b></p>', '<div>\n Hello <i>you</i>\n</div>')).toBe('');
  });
  it('shows changed text with what stands around it', () => {
    expect(diff('<p>a<p>b<p>c<p>d<p>e', '<p>a<p>b<p>c<p>D<p>e')).toBe(
      '… 2 lines are the same\n  b\n  c\n- d\n+ D\n  e\n',
    );
  });
  it('shows where links lead, pictures and their descriptions', () => {
    expect(diff('<p><a href="a">x</a></p>', '<p><a href="b">x</a></p>')).toContain('- x [href="a"]\n+ x [href="b"]\n');
    expect(diff('<img src=a.png alt=cat>', '<img src=a.png alt=dog>')).toContain('+ [src="a.png" alt="dog"]\n');
  });
  it('shows what cannot be seen but matters', () => {
    expect(diff('', '<script>go()</script><meta http-equiv=refresh content="0;url=x">')).toContain(
      '+ <script> go()\n+ <meta> http-equiv="refresh" content="0;url=x"\n',
    );
  });
  it('shows a new page and one that goes', () => {
    expect(diff(undefined, '<h1>New</h1><ul><li>one<li>two</ul><pre>a\n  b</pre>')).toBe(
      '+ T\n+ # New\n+ - one\n+ - two\n+ a\n+ b\n',
    );
    expect(diff('<p>old</p>', undefined)).toBe('- T\n- old\n');
  });
  it('gives up in time on pages that are made to be slow, and says so', () => {
    const made = diffPages(html(many(3)), html(many(5)));
    expect(made.compared).toBe(false);
    expect(made.lines.filter(({ kind }) => kind === 'added')).toHaveLength(20_001);
  }, 30_000);
});

describe('filling slots', () => {
  const contents = new Map(['ONE', ''].map((text) => [sha256(text), encode(text)]));
  it('replaces the fallbacks by bytes, not by characters', () => {
    const page = encode('ü[a]ö[b]');
    expect(new TextDecoder().decode(splice(page, [part(3, 1, 'ONE'), part(8, 1, '')], contents))).toBe('ü[ONE]ö[]');
  });
  it.each([
    ['out of order', [part(4, 1, 'ONE'), part(1, 1, '')]],
    ['overlapping', [part(1, 3, 'ONE'), part(2, 1, '')]],
    ['beyond the end', [part(9, 2, 'ONE')]],
    ['without content', [part(1, 1, 'TWO')]],
    ['of another length', [{ ...part(1, 1, 'ONE'), contentLength: 4 }]],
  ])('refuses slots that are %s', (_, splices) => {
    expect(() => splice(encode('0123456789'), splices, contents)).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_VERIFY' }),
    );
  });
});

describe('the summary', () => {
  const layout = layoutOf('overwrite');
  const FIRST = {
    'with-main/a.html': 'a',
    'with-main/b.html': 'b',
    'with-main/c.html': 'c',
    'with-main/d.html': 'd',
    'with-main/s.css': 's',
  };

  async function live() {
    const ports = memoryPorts('separate');
    await fill(ports.original ?? ports.web, { 'index.html': 'home', 'with-main/own.html': 'mine' });
    await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
    return ports;
  }
  const summaryOf = async (contents: Record<string, string>, options?: PlanOptions) => {
    const ports = await live();
    return summarise(await planFor(ports, layout, await makeRelease(ports.state, 2, contents), options));
  };

  it('says in one sentence what happens', async () => {
    const next = {
      ...FIRST,
      'with-main/a.html': 'A',
      'with-main/b.html': 'B',
      'with-main/c.html': 'C',
      'with-main/e.html': 'e',
    };
    expect(summaryText(await summaryOf(next))).toBe('3 pages change, 1 is new, nothing of yours is touched');
    expect(summaryText(await summaryOf(FIRST))).toBe('no tie-up page changes, nothing of yours is touched');
    expect(summaryText(await summaryOf({ 'with-main/a.html': 'A', 'with-main/s.css': 'S' }))).toBe(
      '1 page changes, 3 go, 1 other file changes, nothing of yours is touched',
    );
  });

  it('says plainly when a page of the partner is not shown', async () => {
    const next = { ...FIRST, 'with-main/own.html': 'theirs' };
    const taken = await summaryOf(next, { choices: { paths: { 'with-main/own.html': 'take-theirs' } } });
    expect(summaryText(taken)).toBe('1 page changes, one page of yours is not shown, as you chose: with-main/own.html');
  });

  it('says when the original folder changed', async () => {
    const ports = await live();
    await ports.original?.write('news.html', encode('n'));
    await ports.original?.remove('index.html');
    const summary = summarise(await planFor(ports, layout, await makeRelease(ports.state, 1, FIRST)));
    expect(summaryText(summary)).toBe(
      'no tie-up page changes, 2 of your own files follow your original folder, nothing of yours is touched',
    );
    expect(summary.originals).toEqual({ added: ['news.html'], changed: [], removed: ['index.html'] });
  });

  it('knows whether a page changes whose slots are filled', async () => {
    const ports = await live();
    const contents = { 'with-main/p.html': '<p>{{slot a}}x{{/slot}}{{slot! b}}{{/slot}}' };
    const slots = await makeSlots(ports.state, { 'with-main/p.html#b': 'mine' });
    await goLive(ports, layout, await makeRelease(ports.state, 2, contents), { slots });
    const plan = await planFor(ports, layout, await makeRelease(ports.state, 3, contents), { slots });
    const summary = summarise(await resolvePlan(plan, objectStore(ports.state)));
    expect(summary).toMatchObject({ changed: [], unchanged: 1 });
    expect(summaryDetails(summary)).toEqual([
      'slot     with-main/p.html: nothing of yours for "a", it shows the main site\'s text',
    ]);
  });

  it('lists what was left out and why', async () => {
    const summary = await summaryOf(
      { 'with-main/a.html': 'a', 'with-main/p.html': '{{slot! hours}}{{/slot}}' },
      { choices: { withheld: ['with-main/a.html'] } },
    );
    expect(summaryDetails(summary)).toContain('left out with-main/a.html (you withhold it)');
    expect(summaryDetails(summary)).toContain('left out with-main/p.html (it needs your text for "hours")');
  });
});
