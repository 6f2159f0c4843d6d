/** What the framework says by itself, in the language of the page: words, dates, and the way to the page for search engines. */
import { describe, expect, it, vi } from 'vitest';
import { FRAMEWORK_LABELS, labelsFor } from '../../../src/content/labels.ts';
import {
  compile,
  compileSource,
  elements,
  htmlFor,
  partner,
  problemsOf,
  siteSource,
  templateWith,
} from './site-builder.ts';

describe('words of the framework', () => {
  it('are in the language of the page, and so are those that Markdown adds', () => {
    const text = '\n> [!WARNING]\n> x\n';
    const site = compile({
      pages: {
        'index.md': `---\ntitle: A\n---${text}`,
        'de.md': `---\ntitle: B\nlanguage: de-AT\n---${text}`,
        'other.md': `---\ntitle: C\nlanguage: fi\n---${text}`,
      },
      templates: { page: templateWith('<p id="next">{{ labels.next }}</p>') },
    });
    const words = ['index', 'de', 'other'].map((name) => {
      const html = htmlFor(site, `with-main/${name}.html`);
      return [/id="next">([^<]*)/.exec(html)?.[1], /admonition-title">([^<]*)/.exec(html)?.[1]];
    });
    expect(words).toEqual([
      ['Next page', 'Warning'],
      ['Nächste Seite', 'Warnung'],
      ['Next page', 'Warning'],
    ]);
  });

  it('are all there in every language', () => {
    for (const language of ['en', 'de', 'fr', 'es', 'it', 'nl']) {
      const { framework, footnotes, backToReference, admonitions } = labelsFor(language);
      const all = [...Object.values(framework), ...Object.values(admonitions), footnotes, backToReference];
      expect([language, all.length, all.filter((word) => word.trim() === '')]).toEqual([
        language,
        FRAMEWORK_LABELS.length + 7,
        [],
      ]);
    }
  });

  it('are named when one is misspelt', () => {
    const templates = { page: templateWith('<p>{{ labels.nxet }}</p>') };
    expect(problemsOf(() => compile({ pages: { 'index.md': '---\ntitle: A\n---\n' }, templates })).join()).toContain(
      'unknown variable `labels.nxet` (did you mean `labels.next`?)',
    );
  });
});

describe('dates', () => {
  const dated = (front: string, body: string, language = 'en-GB') => {
    const source = siteSource({
      pages: { 'index.md': `---\ntitle: A\n${front}---\n${body}\n` },
      data: { events: [{ on: '2026-12-05', what: 'Tasting' }] },
      templates: { page: templateWith('<template each="event in data.events"><i>{{ event.on.long }}</i></template>') },
    });
    const site = compileSource({ ...source, site: { ...source.site, language, timeZone: 'Europe/Berlin' } });
    return htmlFor(site, 'with-main/index.html');
  };

  it('are read by people in the language of the page and the time zone of the site', () => {
    const body = '{{ page.date.long }} | {{ page.date.medium }} | {{ page.date.short }} | {{ page.date.time }}';
    const late = 'date: 2026-11-23T23:30Z\n';
    expect(dated(late, body)).toContain('24 November 2026 | 24 Nov 2026 | 24/11/2026 | 00:30');
    expect(dated(late, body, 'de')).toContain('24. November 2026 | 24.11.2026 | 24.11.26 | 00:30');
    expect(dated('date: 2026-11-23\n', '{{ page.date.long }}', 'en-US')).toContain('November 23, 2026');
    // Well-formed, and no language that there is.
    expect(dated('date: 2026-11-23\n', '{{ page.date.long }}', 'zz-abcdefgh-x')).toContain('November 23, 2026');
  });

  it.each([
    ['en', 'September 7, 2026 | Sep 7, 2026 | 9/7/26 | 8:05 AM', 'March 25, 2026 | Mar 25, 2026 | 3/25/26 | 12:30 PM'],
    [
      'en-GB',
      '7 September 2026 | 7 Sept 2026 | 07/09/2026 | 08:05',
      '25 March 2026 | 25 Mar 2026 | 25/03/2026 | 12:30',
    ],
    ['de', '7. September 2026 | 07.09.2026 | 07.09.26 | 08:05', '25. März 2026 | 25.03.2026 | 25.03.26 | 12:30'],
    [
      'fr-FR',
      '7 septembre 2026 | 7 sept. 2026 | 07/09/2026 | 08:05',
      '25 mars 2026 | 25 mars 2026 | 25/03/2026 | 12:30',
    ],
    [
      'es',
      '7 de septiembre de 2026 | 7 sept 2026 | 7/9/26 | 8:05',
      '25 de marzo de 2026 | 25 mar 2026 | 25/3/26 | 12:30',
    ],
    ['it', '7 settembre 2026 | 7 set 2026 | 07/09/26 | 08:05', '25 marzo 2026 | 25 mar 2026 | 25/03/26 | 12:30'],
    ['nl', '7 september 2026 | 7 sep 2026 | 07-09-2026 | 08:05', '25 maart 2026 | 25 mrt 2026 | 25-03-2026 | 12:30'],
  ])('are the same on every machine in %s', (language, september, march) => {
    const body = '{{ page.date.long }} | {{ page.date.medium }} | {{ page.date.short }} | {{ page.date.time }}';
    // What words of this Node there are is not even asked.
    const asked = vi.spyOn(Intl.DateTimeFormat, 'supportedLocalesOf');
    expect(dated('date: 2026-09-07T06:05Z\n', body, language)).toContain(september);
    expect(dated('date: 2026-03-25T12:30\n', body, language)).toContain(march);
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
  });

  it('are in the words of other languages where they do not ship', () => {
    expect(dated('date: 2026-01-07\n', '{{ page.date.long }}', 'de-AT')).toContain('7. Jänner 2026');
    expect(dated('date: 2026-01-07\n', '{{ page.date.long }}', 'da')).toContain('7. januar 2026');
  });

  it('are found in data files as well', () => {
    expect(dated('', '')).toContain('<i>5 December 2026</i>');
  });

  it('are refused where there is no day, and where a day has no time', () => {
    const faults = (front: string, body: string) => problemsOf(() => dated(front, body)).join();
    expect(faults('', '{{ page.title.long }}')).toContain('`page.title` is "A", and no day or time');
    expect(faults('date: 2026-11-23\n', '{{ page.date.time }}')).toContain('`page.date` is a day and has no time');
    expect(faults('', '{{ page.date.long }}')).toContain('the page has no `date`');
    expect(faults('date: 2026-11-23\n', '{{ page.date.lnog }}')).toContain('unknown variable');
  });
});

describe('the way to a page, for search engines', () => {
  const site = compile({
    pages: {
      'index.md': '---\ntitle: Home\n---\n',
      'guide/index.md': '---\ntitle: "</script><b>"\n---\n',
      'guide/loose/a.md': '---\ntitle: A\n---\n',
    },
    templates: { page: templateWith('', '{{ meta }}') },
  });
  const trail = (path: string, search: 'own' | 'canonical-to-main') =>
    elements(htmlFor(site, path, partner({ search })))
      .filter(({ tagName }) => tagName === 'script')
      .map((element) => JSON.parse(element.childNodes.map((node) => ('value' in node ? node.value : '')).join('')))
      .filter((data) => data['@type'] === 'BreadcrumbList')
      .map(({ itemListElement }) =>
        itemListElement.map((item: Record<string, unknown>) => [item['position'], item['name'], item['item']]),
      );

  it('is a list of the pages on it, at the addresses that search engines are told', () => {
    expect(trail('with-main/guide/loose/a.html', 'own')).toEqual([
      [
        [1, 'Home', 'https://alpha.example/with-main/index.html'],
        [2, '</script><b>', 'https://alpha.example/with-main/guide/index.html'],
        [3, 'A', 'https://alpha.example/with-main/guide/loose/a.html'],
      ],
    ]);
    expect(trail('with-main/guide/index.html', 'canonical-to-main')).toEqual([
      [
        [1, 'Home', 'https://main.example/index.html'],
        [2, '</script><b>', 'https://main.example/guide/index.html'],
      ],
    ]);
  });

  it('is left out on the first page, to which no way leads', () => {
    expect(trail('with-main/index.html', 'own')).toEqual([]);
  });
});
