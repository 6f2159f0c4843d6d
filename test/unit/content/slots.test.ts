import { describe, expect, it } from 'vitest';
import { compile, pageFor, problemsOf, TEMPLATE, templateWith } from './site-builder.ts';

const front = (yaml: string, body: string) => `---\ntitle: T\n${yaml}\n---\n${body}`;
const SLOTS = 'slots: {hours: {description: when, required: true}, news: {}}';
const BODY = '# T\n\n<slot name="hours">\n**Ask** us\n</slot>\n\nx\n<slot name="news"></slot>\ny';

const decode = (part: Uint8Array) => new TextDecoder().decode(part);

function render(
  text: string,
  template = TEMPLATE,
): { html: string; contents: Record<string, string>; required: string[] } {
  const page = pageFor(compile({ pages: { 'index.md': text }, templates: { page: template } }), 'with-main/index.html');
  const { bytes, slots } = page.render(1);
  return {
    html: decode(bytes),
    contents: Object.fromEntries(
      slots.map(({ name, offset, length }) => [name, decode(bytes.subarray(offset, offset + length))]),
    ),
    required: slots.filter((slot) => slot.required).map((slot) => slot.name),
  };
}
const faults = (text: string, template = TEMPLATE) =>
  problemsOf(() => compile({ pages: { 'index.md': text }, templates: { page: template } }));

describe('a framework page', () => {
  it('says where its slots are, in bytes, with the fallback in place', () => {
    const { html, contents, required } = render(
      front(`inherit: framework\ndescription: "ü"\n${SLOTS}`, `ü\n\n${BODY}`),
    );
    expect(contents).toEqual({ hours: '\n<p><strong>Ask</strong> us</p>\n', news: '' });
    expect(required).toEqual(['hours']);
    expect(html).toContain('<p>x</p>\n\n<p>y</p>');
    expect(html).not.toContain('slot');
  });

  it('has slots in its template as well, whose fallback the front matter may replace', () => {
    const template = templateWith(
      '<aside><slot name="side">by {{ partner.name }}</slot></aside><div><slot name="low">low</slot></div>',
    );
    const declared = front('inherit: framework\nslots: {side: {}, low: {fallback: "*mine*"}}', '');
    expect(render(declared, template).contents).toEqual({ side: 'by Café Alpha', low: '<p><em>mine</em></p>' });
    const undeclared = render(front('inherit: framework', ''), template);
    expect(undeclared.contents).toEqual({});
    expect(undeclared.html).toContain('<aside>by Café Alpha</aside>');
  });

  it('has the ids of a fallback to itself', () => {
    const yaml = 'inherit: framework\nslots: {side: {fallback: "a[^1] <b id=x>b</b> [c](#x)\\n\\n[^1]: n"}}';
    const { contents } = render(front(yaml, '# x'), templateWith('<slot name="side"></slot>'));
    expect(contents['side']).toContain('<b id="side-x">b</b> <a href="#side-x">c</a>');
    expect(contents['side']).toContain('href="#side-fn-1"');
    expect(contents['side']).toContain('<li id="side-fn-1">');
  });
});

describe('a full page', () => {
  it('fills its slots itself and has none for the partner', () => {
    const template = templateWith('<aside><slot name="side">other</slot></aside>');
    const text = front('slots: {side: {content: "**own**"}, hours: {content: "9-5"}, news: {}}', BODY);
    const { html, contents } = render(text, template);
    expect(contents).toEqual({});
    expect(html).toContain('<aside><p><strong>own</strong></p></aside>');
    expect(html).toContain('<p>9-5</p>');
    expect(html).not.toContain('Ask');
  });
});

describe('a link page', () => {
  it('keeps its text at the main site', () => {
    const { html, contents } = render(front('inherit: link\ndescription: What <it> is', '# Secret {{ nope }}'));
    expect(html).toContain(
      '<h1>T</h1>\n<p>What &lt;it&gt; is</p>\n<p><a class="tieup-source" href="https://main.example/index.html">T – Main &amp; Co</a></p>',
    );
    expect(html).not.toContain('Secret');
    expect(contents).toEqual({});
  });
});

describe('slots that cannot work', () => {
  it.each([
    [
      'not declared',
      front('inherit: framework\nslots: {hours: {}}', '<slot name="hour">\n</slot>'),
      ':6:1 slot "hour" is not declared: did you mean "hours"?',
    ],
    [
      'declared but nowhere',
      front(SLOTS, '<slot name="hours"></slot>'),
      ' slot "news" is declared, but neither the page nor the template "page" has it',
    ],
    ['there twice', front(SLOTS, `${BODY}\n<slot name="news"></slot>`), ':14:1 slot "news" is there twice'],
    ['not closed', front(SLOTS, '<slot name="hours">\n\n<slot name="news"></slot>'), 'slot "hours" is not closed'],
    ['closed without being open', front(SLOTS, `${BODY}\n</slot>`), 'closes a slot that is not open'],
    [
      'nested',
      front(SLOTS, '<slot name="hours">\n<slot name="news"></slot>\n</slot>'),
      'a slot cannot stand in slot "hours"',
    ],
    [
      'in a list',
      front(SLOTS, `- x\n\n  <slot name="hours"></slot>\n\n${BODY}`),
      'cannot stand in a list or a quotation',
    ],
    ['within a line', front(SLOTS, `${BODY}\n\nhello <slot name="hours">`), 'a slot is written on lines of its own'],
    [
      'in raw HTML',
      front(SLOTS, `${BODY}\n\n<div><slot name="hours"></slot></div>`),
      'a slot is written on lines of its own',
    ],
    [
      'half in an element',
      front(SLOTS, `<div>\n\n<slot name="hours">\n\n</div>\n\n</slot>\n\n<slot name="news"></slot>`),
      'starts in one HTML element and ends in another',
    ],
    [
      'in a paragraph of raw HTML',
      front(SLOTS, `<p>\n\n<slot name="hours"></slot>\n\n</p>\n\n<slot name="news"></slot>`),
      'cannot stand in <p>',
    ],
    ['named badly', front(SLOTS, `${BODY}\n<slot name="A b"></slot>`), 'is no slot name'],
    [
      'named content',
      front('slots: {content: {}}', '<slot name="content"></slot>'),
      'the slot "content" is the page itself',
    ],
    [
      'with two fallbacks',
      front('inherit: framework\nslots: {a: {fallback: x}}', '<slot name="a">\ny\n</slot>'),
      'has two fallbacks',
    ],
    [
      'with content in a framework page',
      front('inherit: framework\nslots: {a: {content: x}}', '<slot name="a"></slot>'),
      'write `fallback` instead',
    ],
    [
      'with an unknown variable',
      front('inherit: framework\nslots: {a: {fallback: "{{ nope.x }}"}}', '<slot name="a"></slot>'),
      'unknown variable `nope.x`',
    ],
  ])('are refused: %s', (_, text, reason) => {
    expect(faults(text).join('\n')).toContain(reason);
  });

  it('are refused when page and template have the same one', () => {
    expect(
      faults(
        front('inherit: framework\nslots: {a: {}}', '<slot name="a"></slot>'),
        templateWith('<slot name="a"></slot>'),
      ).join(),
    ).toContain('the template has it as well');
  });

  it('are text in code', () => {
    expect(render(front('', '```html\n<slot name="hours">\n</slot>\n```')).html).toContain(
      '&#x3C;slot name="hours">\n&#x3C;/slot>\n',
    );
  });
});
