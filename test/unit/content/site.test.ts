import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compile,
  compileSource,
  htmlFor,
  pageFor,
  pageSource,
  partner,
  placed,
  problemsOf,
  siteSource,
  templateWith,
} from './site-builder.ts';

const titled = (yaml: string, body = '') => `---\ntitle: T\n${yaml}\n---\n${body}`;
const ALPHA = partner();
const BETA = partner({
  id: 'beta',
  name: 'Beta',
  tags: ['bar'],
  mount: '/x/y/',
  url: 'https://beta.example',
  search: 'noindex',
});

const clash = (pages: Record<string, string>, assets: string[] = []) =>
  problemsOf(() => compile({ pages, assets })).join();

describe('a site', () => {
  it('gives each partner its pages, redirects and assets, in byte order', () => {
    const site = compile({
      pages: {
        'index.md': '# Home',
        'guide/intro.md': titled('aliases: [old/intro.html]'),
        'a-for-cafes.md': titled('partners: cafe'),
        'b-for-beta.md': titled('partners: [beta, nobody]'),
        'draft.md': titled('draft: true'),
        'é.md': '# É',
      },
      assets: ['style.css', 'img/a.png'],
    });
    const paths = (view = ALPHA) => site.filesFor(view).map((file) => `${file.kind} ${file.path}`);
    expect(paths()).toEqual([
      'page with-main/a-for-cafes.html',
      'asset with-main/assets/img/a.png',
      'asset with-main/assets/style.css',
      'page with-main/guide/intro.html',
      'page with-main/index.html',
      'redirect with-main/old/intro.html',
      'page with-main/é.html',
    ]);
    expect(paths(BETA)).toContain('page x/y/b-for-beta.html');
    expect(paths(BETA)).not.toContain('page x/y/a-for-cafes.html');
    expect(site.pages.map((page) => page.path)).not.toContain('draft.html');
    const found = site.filesFor(ALPHA).find((file) => file.kind === 'redirect');
    expect(found).toMatchObject({ file: 'pages/guide/intro.md', target: 'with-main/guide/intro.html' });
    expect(found?.kind === 'redirect' && new TextDecoder().decode(found.render())).toContain(
      'content="0; url=../guide/intro.html"',
    );
  });

  it('keeps the bytes of a page that has not changed, whatever the release', () => {
    const page = pageFor(compile({ pages: { 'index.md': '# Home' } }), 'with-main/index.html');
    expect(page.render(3).bytes).toEqual(page.render(3).bytes);
    expect(new TextDecoder().decode(page.render(3).bytes)).toContain('<meta name="tieup-release" content="alpha 3">');
    expect(page.render(4).bytes).not.toEqual(page.render(3).bytes);
  });

  it('gives out bytes that the receiver may change', () => {
    const site = compile({ pages: { 'index.md': titled('aliases: [old.html]', 'text') } });
    for (const file of site.filesFor(ALPHA)) {
      if (file.kind === 'asset') continue;
      const bytes = () => (file.kind === 'page' ? file.render(1).bytes : file.render());
      const before = bytes().slice();
      bytes().fill(0);
      expect(bytes()).toEqual(before);
    }
  });

  it('renders for all partners what it renders for each of them alone', () => {
    const word = fc.constantFrom(
      '# A\n',
      '{{ partner.name }} ',
      '{{ partner.city }} ',
      '[x](b.md) ',
      '[y](c/index.md) ',
      '`c` ',
      '*d*\n\n',
      '<b>e</b> ',
      '{{ page.url }}',
    );
    const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(''));
    const view = fc.record({
      id: fc.constantFrom('p1', 'p2', 'p3'),
      name: fc.string(),
      mount: fc.constantFrom('/a/', '/b/c/'),
      search: fc.constantFrom('own' as const, 'noindex' as const, 'canonical-to-main' as const),
      city: fc.string(),
    });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 3, maxLength: 3 }),
        fc.array(view, { minLength: 2, maxLength: 5 }),
        ([a = '', b = '', c = ''], views) => {
          const source = siteSource({
            pages: {
              'a.md': titled('', a),
              'b.md': titled('partners: [p1, p2]', b),
              'c/index.md': titled('inherit: link', c),
            },
            templates: {
              page: templateWith('<nav>{{ navigation }}</nav><i title="{{ partner.city }}">{{ partner.name }}</i>'),
            },
          });
          const shared = compileSource(source);
          const render = (site: typeof shared, { city, ...rest }: (typeof views)[number]) =>
            site
              .filesFor(partner({ ...rest, values: { city } }))
              .map((file) => [file.path, file.kind === 'page' ? file.render(2).bytes : '']);
          const together = views.map((each) => render(shared, each));
          expect(together).toEqual(views.map((each) => render(compileSource(source), each)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reports everything at once, each with its place', () => {
    expect(
      problemsOf(() =>
        compile({
          pages: {
            'a.md': '# A\n\n{{ nope }}',
            'b.md': titled('template: pgae'),
            'c.md': titled('slots: {x: {}}'),
            'd.md': titled('values: {url: x}'),
          },
          templates: { page: templateWith('{{ site.nam }}') },
          values: { name: 'x' },
        }),
      ),
    ).toEqual([
      'the site\'s value "name" would hide the variable `site.name`',
      'pages/a.md:3:1 unknown variable `nope`: write \\{{ for two braces as text',
      'pages/b.md there is no template "pgae" (did you mean "page"?)',
      'pages/c.md slot "x" is declared, but neither the page nor the template "page" has it',
      'pages/d.md the value "url" would hide the variable `page.url`',
      'templates/page.html:3:7 unknown variable `site.nam` (did you mean `site.name`?)',
    ]);
  });

  it.each([
    ['../x.md', 'leaves its folder'],
    ['/x.md', 'is absolute'],
    ['a\\b.md', 'contains a backslash'],
    ['a\0b.md', 'a character that is not allowed'],
    ['con.md', 'Windows reserves'],
    ['sub./x.md', 'ends with a dot'],
    ['.hidden.md', 'starts with a dot'],
    ['e\u0301.md', 'normal form'],
    ['x.php.md', 'web servers execute'],
    ['x.txt', 'whose name ends with .md'],
  ])('refuses the page %j', (path, reason) => {
    const source = { ...siteSource({ pages: {} }), pages: [pageSource(path, '# x')] };
    const [problem] = problemsOf(() => compileSource(source));
    expect(problem).toContain(reason);
    expect(problem).toMatch(/^pages\//);
  });

  it.each([
    ['shell.php.txt', 'execute'],
    ['X.PHTML', 'execute'],
    ['x.asp;.jpg', 'execute'],
    ['web.config', 'controls a web server'],
    ['.htaccess', 'starts with a dot'],
  ])('refuses the asset %j', (asset, reason) => {
    expect(clash({ 'a.md': '# a' }, [asset])).toContain(reason);
  });

  it('refuses paths that some file system cannot tell apart', () => {
    expect(clash({ 'Intro.md': '# a', 'intro.md': '# b' })).toContain(
      'pages/intro.md the paths "Intro.html" and "intro.html" collide',
    );
    expect(clash({ 'ﬁ.md': '# a', 'fi.md': '# b' })).toContain('collide');
    expect(clash({ 'a.md': titled('aliases: [b.html]'), 'b.md': '# b' })).toContain('collide');
    expect(clash({ 'a.md': titled('aliases: [a.html/b.html]') })).toContain('needs a folder there');
    expect(clash({ 'assets/x.md': '# a' }, ['x.html'])).toContain('collide');
    expect(clash({ 'a.md': titled('aliases: [../b.html, c]') })).toMatch(
      /leaves its folder.*|does not end with \.html/,
    );
  });

  it('refuses a partner whose values hide variables, and paths that its mount makes too long', () => {
    const site = compile({ pages: { [`${`${'x'.repeat(190)}/`.repeat(5)}y.md`]: '# x' } });
    expect(problemsOf(() => site.filesFor(partner({ values: { url: 'x' } })))).toEqual([
      expect.stringContaining('would hide the variable `partner.url`'),
    ]);
    expect(problemsOf(() => site.filesFor(partner({ mount: `/${'m'.repeat(100)}/` })))).toEqual([
      expect.stringContaining('longer than'),
    ]);
  });
});

describe('links', () => {
  const LINKS = {
    'index.md': '# Home',
    'guide/intro.md': '# Intro',
    'guide/index.md': '# Guide',
    'only-beta.md': titled('partners: beta'),
    'draft.md': titled('draft: true'),
  };
  const link = (from: string, address: string, view = ALPHA) => {
    const site = compile({ pages: { ...LINKS, [from]: `# x\n\n[y](${address})` }, assets: ['a b.png', 'style.css'] });
    const html = htmlFor(site, `with-main/${from.replace('.md', '.html')}`, view);
    return { href: /<a href="([^"]*)">y/.exec(html)?.[1], warnings: site.warnings.map(placed) };
  };

  it.each([
    ['x.md', 'guide/intro.md', 'guide/intro.html'],
    ['x.md', './guide/intro.md#a?b', 'guide/intro.html#a?b'],
    ['x.md', 'guide/', 'guide/index.html'],
    ['x.md', 'guide', 'guide/index.html'],
    ['x.md', 'guide/intro', 'guide/intro.html'],
    ['x.md', 'guide/intro.html?x=1', 'guide/intro.html?x=1'],
    ['x.md', 'Guide/Intro.md', 'guide/intro.html'],
    ['x.md', '/guide/intro.md', 'guide/intro.html'],
    ['guide/x.md', '../index.md', '../index.html'],
    ['guide/x.md', 'intro.md', 'intro.html'],
    ['guide/x.md', '/index.md', '../index.html'],
    ['guide/x.md', '../../assets/style.css', '../assets/style.css'],
    ['x.md', '../assets/a%20b.png', 'assets/a%20b.png'],
    ['guide/x.md', '/assets/style.css', '../assets/style.css'],
    ['x.md', 'https://other.example/a.md', 'https://other.example/a.md'],
    ['x.md', '#here', '#here'],
    ['x.md', '?q=1', '?q=1'],
    ['x.md', 'mailto:a@b.example', 'mailto:a@b.example'],
    ['x.md', '/contact.html', '/contact.html'],
    ['x.md', 'only-beta.md', 'https://main.example/only-beta.html'],
  ])('in %s to %s lead to %s', (from, address, expected) => {
    expect(link(from, address)).toEqual({ href: expected, warnings: [] });
  });

  it('to a page that only some partners get stay near where it is', () => {
    const site = compile({ pages: { ...LINKS, 'guide/x.md': '# x\n\n[y](../only-beta.md#z)' } });
    expect(htmlFor(site, 'with-main/guide/x.html', ALPHA)).toContain(
      '<a href="https://main.example/only-beta.html#z">',
    );
    expect(htmlFor(site, 'x/y/guide/x.html', BETA)).toContain('<a href="../only-beta.html#z">');
  });

  it.each([
    ['nowhere.md', 'pages/x.md:3:1 "nowhere.md" does not lead to a page of this site'],
    ['draft.md', 'pages/x.md:3:1 "draft.md" does not lead to a page of this site'],
    ['../../x.md', 'pages/x.md:3:1 "../../x.md" does not lead to a page of this site'],
    ['/nowhere.md', 'pages/x.md:3:1 "/nowhere.md" does not lead to a page of this site'],
    ['%ff.md', 'pages/x.md:3:1 "%ff.md" does not lead to a page of this site'],
    ['../assets/stile.css', 'pages/x.md:3:1 there is no asset "stile.css" (did you mean "style.css"?)'],
  ])('to %s are warned of', (address, warning) => {
    expect(link('x.md', address).warnings).toEqual([warning]);
  });

  it('of a template to an asset that is not there are warned of', () => {
    const template = templateWith('<img src="{{ mount }}assets/a.png"><img src="{{ mount }}assets/b.png?x">');
    const site = compile({ pages: { 'x.md': '# x' }, templates: { page: template }, assets: ['a.png'] });
    expect(site.warnings.map(placed)).toEqual([
      'templates/page.html:3:52 there is no asset "b.png" (did you mean "a.png"?)',
    ]);
  });

  it('in raw HTML and of pictures are followed as well', () => {
    const site = compile({
      pages: { ...LINKS, 'x.md': '# x\n\n<a href="guide/intro.md">a</a> ![p](../assets/style.css)' },
      assets: ['style.css'],
    });
    const html = htmlFor(site, 'with-main/x.html');
    expect(html).toContain('<a href="guide/intro.html">a</a> <img src="assets/style.css" alt="p" decoding="async">');
    expect(site.warnings).toEqual([]);
  });
});

describe('the navigation', () => {
  const NAVIGATION = templateWith('<nav>{{ navigation }}</nav>');
  const nav = (pages: Record<string, string>, path: string, view = ALPHA) => {
    const html = htmlFor(compile({ pages, templates: { page: NAVIGATION } }), path, view);
    return (/<nav>([\s\S]*)<\/nav>/.exec(html)?.[1] ?? '').replaceAll('/with-main/', '');
  };
  const PAGES = {
    'index.md': '# Home & more',
    'zoo.md': titled('order: 1'),
    'about.md': titled('navigation: About us'),
    'hidden.md': titled('navigation: false'),
    'guide/index.md': titled('navigation: The guide'),
    'guide/b.md': '# B',
    'guide/a-first.md': titled('order: -1\npartners: beta'),
    'loose-ends/x.md': '# X',
    'loose-ends/deep/y.md': '# Y',
  };

  it('shows the top, and the folders on the way to the page', () => {
    expect(nav(PAGES, 'with-main/index.html')).toBe(
      '<ul>\n<li><a href="index.html" aria-current="page">Home &amp; more</a></li>\n<li><a href="zoo.html">T</a></li>\n<li><a href="about.html">About us</a></li>\n' +
        '<li><a href="guide/index.html">The guide</a></li>\n<li><a href="loose-ends/deep/y.html">Loose ends</a></li>\n</ul>',
    );
    expect(nav(PAGES, 'with-main/guide/b.html')).toContain(
      '<li><a href="guide/index.html">The guide</a><ul>\n<li><a href="guide/b.html" aria-current="page">B</a></li>\n</ul></li>',
    );
    expect(nav(PAGES, 'with-main/guide/index.html')).toContain(
      '<a href="guide/index.html" aria-current="page">The guide</a><ul>',
    );
    expect(nav(PAGES, 'with-main/loose-ends/deep/y.html')).toContain(
      '<li><a href="loose-ends/deep/y.html">Loose ends</a><ul>\n<li><a href="loose-ends/deep/y.html">Deep</a><ul>\n' +
        '<li><a href="loose-ends/deep/y.html" aria-current="page">Y</a></li>\n</ul></li>\n<li><a href="loose-ends/x.html">X</a></li>\n</ul></li>',
    );
  });

  it('has no current page on a page that is left out of it, and none at all without pages', () => {
    expect(nav(PAGES, 'with-main/hidden.html')).not.toContain('aria-current');
    expect(nav({ 'x.md': titled('navigation: false') }, 'with-main/x.html')).toBe('');
  });

  it('has the pages which the partner gets, under its mount', () => {
    expect(nav(PAGES, 'x/y/guide/b.html', BETA)).toContain(
      '<li><a href="/x/y/guide/a-first.html">T</a></li>\n<li><a href="/x/y/guide/b.html" aria',
    );
  });
});
