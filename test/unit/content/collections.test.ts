import { describe, expect, it } from 'vitest';
import { compile, htmlFor, partner, problemsOf, templateWith, TEMPLATE } from './site-builder.ts';

const LIST =
  '<ol><template each="post in pagination.items"><li><a href="{{ post.link }}">{{ post.title }}</a></li></template><template else><li>none</li></template></ol>' +
  '<p>{{ pagination.number }}/{{ pagination.total }}' +
  '<template if="pagination.previous"> <a rel="prev" href="{{ pagination.previous }}">newer</a></template>' +
  '<template if="pagination.next"> <a rel="next" href="{{ pagination.next }}">older</a></template></p>';

function post(number: number, more = ''): string {
  return `---\ntitle: Post ${number}\ndate: 2026-01-0${number}\ntags: [news]\n${more}---\ntext ${number}\n`;
}

const posts = (restricted: readonly number[] = []) =>
  Object.fromEntries(
    [1, 2, 3, 4, 5].map((number) => [
      `news/p${number}.md`,
      post(number, restricted.includes(number) ? 'partners: [beta]\n' : ''),
    ]),
  );

function site(pages: Record<string, string>, list = LIST) {
  return compile({ pages, templates: { page: TEMPLATE, list: templateWith(list) } });
}

const NEWS = '---\ntitle: News\ntemplate: list\npaginate: { collection: news, size: 2 }\n---\n[first](p1.md)\n';
const bodyOf = (html: string) => /<body>([\s\S]*?)<main>/.exec(html)?.[1] ?? '';
const pathsOf = (compiled: ReturnType<typeof site>, view = partner()) =>
  compiled
    .filesFor(view)
    .filter(({ path }) => /page|index/.test(path))
    .map(({ path }) => path);

describe('a collection', () => {
  const list = (name: string) =>
    `<template each="post in collections.${name}">{{ post.title }}|{{ post.link }}|{{ post.date }};</template>`;

  it('holds the pages with a date, a tag, or in a folder, the newest first', () => {
    const pages = {
      ...posts(),
      'news/index.md': '# News\n\nall',
      'guide/a.md': '---\ntitle: A\norder: 2\ndate: 2025-01-01\n---\n',
      'guide/b/c.md': '---\ntitle: C\ndate: 2025-01-02\ntags: news\n---\n',
      'index.md': '---\ntitle: Home\ntemplate: list\n---\n',
    };
    const of = (name: string) => bodyOf(htmlFor(site(pages, list(name)), 'with-main/index.html'));
    expect(of('latest').match(/Post \d|[AC](?=\|)/g)).toEqual([
      'Post 5',
      'Post 4',
      'Post 3',
      'Post 2',
      'Post 1',
      'C',
      'A',
    ]);
    expect(of('news')).toContain('Post 1|news/p1.html|2026-01-01;C|guide/b/c.html|2025-01-02;');
    expect(of('folders.guide')).toBe('C|guide/b/c.html|2025-01-02;A|guide/a.html|2025-01-01;');
    expect(of('folders.guide.b')).toBe('C|guide/b/c.html|2025-01-02;');
  });

  it('holds for each partner what that partner gets, up to the limit', () => {
    const latest = '<template each="post in collections.latest" limit="2">{{ post.title }};</template>';
    const compiled = site({ ...posts([5, 4]), 'index.md': '---\ntitle: Home\ntemplate: list\n---\n' }, latest);
    const of = (id: string) => bodyOf(htmlFor(compiled, 'with-main/index.html', partner({ id })));
    expect(of('beta')).toBe('Post 5;Post 4;');
    expect(of('alpha')).toBe('Post 3;Post 2;');
  });

  it('leaves out drafts, and stays known when the last of its pages is one', () => {
    const pages = {
      'a.md': '---\ntitle: A\ndate: 2026-01-01\ntags: [news]\ndraft: true\n---\n',
      'index.md': '---\ntitle: Home\ntemplate: list\n---\n',
    };
    const body = '<template each="post in collections.news">{{ post.title }}</template><template else>none</template>';
    expect(bodyOf(htmlFor(site(pages, body), 'with-main/index.html'))).toBe('none');
  });

  it.each([
    [
      '<template each="post in collections.nwes"></template>',
      'there is no collection `collections.nwes` (did you mean `collections.news`?)',
    ],
    [
      '<template each="post in collections.news">{{ post.titel }}</template>',
      'unknown variable `post.titel` (did you mean `post.title`?)',
    ],
    ['<template each="post in collections.news">{{ loop.index }}</template>', '`loop` is not there for a collection'],
    ['{{ collections.news }}', '`collections.news` is no single value'],
    ['{{ pagination.next }}', 'the page has no `paginate` in its front matter'],
    ['{{ pagination.nxt }}', 'unknown variable `pagination.nxt` (did you mean `pagination.next`?)'],
  ])('refuses %s', (body, reason) => {
    const pages = { 'news/p1.md': post(1), 'index.md': '---\ntitle: Home\ntemplate: list\n---\n' };
    const [found] = problemsOf(() => site(pages, `<p>${body}</p>`));
    expect(found).toContain(reason);
  });

  it('cannot take the name of a tag that means something else', () => {
    expect(problemsOf(() => site({ 'a.md': '---\ntitle: A\ntags: latest\n---\n' }))).toEqual([
      'pages/a.md the tag "latest" would hide the collection of that name: choose another',
    ]);
  });
});

describe('a list of pages', () => {
  it('is spread over several, with ways back and forth', () => {
    const compiled = site({ ...posts(), 'news/index.md': NEWS });
    expect(pathsOf(compiled)).toEqual([
      'with-main/news/index.html',
      'with-main/news/page/2/index.html',
      'with-main/news/page/3/index.html',
    ]);
    expect(bodyOf(htmlFor(compiled, 'with-main/news/index.html'))).toBe(
      '<ol><li><a href="p5.html">Post 5</a></li><li><a href="p4.html">Post 4</a></li></ol><p>1/3 <a rel="next" href="page/2/index.html">older</a></p>',
    );
    const second = htmlFor(compiled, 'with-main/news/page/2/index.html');
    expect(bodyOf(second)).toBe(
      '<ol><li><a href="../../p3.html">Post 3</a></li><li><a href="../../p2.html">Post 2</a></li></ol>' +
        '<p>2/3 <a rel="prev" href="../../index.html">newer</a> <a rel="next" href="../3/index.html">older</a></p>',
    );
    expect(second).toContain('<a href="../../p1.html">first</a>');
    expect(second).toContain('href="https://main.example/news/page/2/index.html"');
    expect(bodyOf(htmlFor(compiled, 'with-main/news/page/3/index.html'))).toContain('<p>3/3 <a rel="prev"');
  });

  it('has for each partner only as many pages as its entries fill', () => {
    const compiled = site({ ...posts([5, 4, 3]), 'news/index.md': NEWS });
    expect(pathsOf(compiled)).toEqual(['with-main/news/index.html']);
    expect(bodyOf(htmlFor(compiled, 'with-main/news/index.html'))).toBe(
      '<ol><li><a href="p2.html">Post 2</a></li><li><a href="p1.html">Post 1</a></li></ol><p>1/1</p>',
    );
    expect(pathsOf(compiled, partner({ id: 'beta' }))).toHaveLength(3);
  });

  it('says so when nothing is listed', () => {
    const compiled = site({ ...posts([1, 2, 3, 4, 5]), 'news/index.md': NEWS });
    expect(bodyOf(htmlFor(compiled, 'with-main/news/index.html'))).toBe('<ol><li>none</li></ol><p>1/1</p>');
  });

  it('never takes the path of another page', () => {
    const found = problemsOf(() => site({ ...posts(), 'news/index.md': NEWS, 'news/page/2/index.md': '# Mine' }));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('news/page/2/index.html');
  });

  it('names the collection that is not there', () => {
    expect(problemsOf(() => site({ 'news/index.md': NEWS }))).toEqual([
      'pages/news/index.md there is no collection `collections.news`',
    ]);
  });
});
