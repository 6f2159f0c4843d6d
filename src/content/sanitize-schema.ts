/**
 * Which HTML content may hold: the one file to read when the question is "can a page do that?".
 *
 * Everything that is not listed is dropped, elements without their content where it would be shown as text otherwise.
 * Nothing here runs, loads a style, sends a form or frames another site; scripts come with templates, never with content.
 */
import type { Options as Schema } from 'rehype-sanitize';

type Attributes = NonNullable<Schema['attributes']>;

const TEXT =
  'a abbr b bdi bdo br cite code data del dfn em i ins kbd mark q rp rt ruby s samp small span strong sub sup time u var wbr';
const BLOCKS =
  'address article aside blockquote dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li ol p pre section summary ul';
const TABLES = 'caption col colgroup table tbody td tfoot th thead tr';
const MEDIA = 'audio img picture source track video';

const words = (text: string): string[] => text.split(' ');

/** Remote addresses need one of these; relative ones are fine. */
const PROTOCOLS: NonNullable<Schema['protocols']> = {
  href: ['http', 'https', 'mailto', 'tel'],
  src: ['http', 'https'],
  poster: ['http', 'https'],
  cite: ['http', 'https'],
};

/**
 * Their content is code or markup of another kind, not text to show; or they are borders to the HTML parser, so that what
 * they hold would mean something else once they are gone (`<p><button><p>`).
 */
const STRIP = words(
  'script style template iframe object embed noscript noembed noframes xmp plaintext svg math title textarea select button applet marquee',
);

const ANCESTORS: Record<string, string[]> = {
  li: ['ol', 'ul'],
  dt: ['dl'],
  dd: ['dl'],
  summary: ['details'],
  figcaption: ['figure'],
  source: ['audio', 'video', 'picture'],
  track: ['audio', 'video'],
  caption: ['table'],
  col: ['table'],
  colgroup: ['table'],
  tbody: ['table'],
  thead: ['table'],
  tfoot: ['table'],
  tr: ['table'],
  td: ['table'],
  th: ['table'],
};

/** What Markdown itself produces, in pages and slots alike. */
const MARKDOWN: Attributes = {
  '*': ['title', 'lang', ['dir', 'ltr', 'rtl', 'auto']],
  a: [
    'href',
    'dataFootnoteRef',
    'dataFootnoteBackref',
    'ariaDescribedBy',
    'ariaLabel',
    'id',
    ['className', 'data-footnote-backref'],
  ],
  code: [['className', /^language-/]],
  input: [['disabled', true], ['type', 'checkbox'], 'checked'],
  ol: ['start', 'reversed', ['type', '1', 'a', 'A', 'i', 'I'], ['className', 'contains-task-list']],
  ul: [['className', 'contains-task-list']],
  li: ['id', 'value', ['className', 'task-list-item']],
  section: ['dataFootnotes', ['className', 'footnotes']],
  h2: ['id', ['className', 'sr-only']],
  img: ['src', 'alt', 'width', 'height', ['loading', 'lazy', 'eager'], ['decoding', 'async', 'sync', 'auto']],
  th: [
    ['align', 'left', 'right', 'center'],
    'abbr',
    'colSpan',
    'rowSpan',
    ['scope', 'col', 'row', 'colgroup', 'rowgroup'],
  ],
  td: [['align', 'left', 'right', 'center'], 'colSpan', 'rowSpan'],
  blockquote: ['cite'],
  q: ['cite'],
  del: ['cite', 'dateTime'],
  ins: ['cite', 'dateTime'],
  time: ['dateTime'],
  data: ['value'],
  details: ['open'],
};

const CLOBBER = ['id', 'ariaDescribedBy', 'ariaLabelledBy'];

const BASE = {
  strip: STRIP,
  ancestors: ANCESTORS,
  protocols: PROTOCOLS,
  required: { input: { disabled: true, type: 'checkbox' } },
  allowComments: false,
  allowDoctypes: false,
} as const satisfies Schema;

/** Pages of the main site: any class and id, media, but nothing active. */
const PAGE_SCHEMA: Schema = {
  ...BASE,
  tagNames: [...words(TEXT), ...words(BLOCKS), ...words(TABLES), ...words(MEDIA), 'input'],
  attributes: {
    ...MARKDOWN,
    '*': [
      ...(MARKDOWN['*'] ?? []),
      'id',
      'className',
      'role',
      'ariaLabel',
      'ariaLabelledBy',
      'ariaHidden',
      'ariaDescribedBy',
      'data*',
    ],
    // The first rule for an attribute counts.
    a: [
      'className',
      'name',
      'hrefLang',
      'download',
      ['rel', 'nofollow', 'noopener', 'noreferrer', 'external'],
      ...(MARKDOWN['a'] ?? []),
    ],
    code: ['className'],
    ol: ['start', 'reversed', ['type', '1', 'a', 'A', 'i', 'I'], 'className'],
    ul: ['className'],
    li: ['id', 'value', 'className'],
    section: ['dataFootnotes', 'className'],
    h2: ['id', 'className'],
    col: ['span'],
    colgroup: ['span'],
    video: [
      'src',
      'poster',
      'width',
      'height',
      'controls',
      'loop',
      'muted',
      'playsInline',
      ['preload', 'none', 'metadata'],
    ],
    audio: ['src', 'controls', 'loop', 'muted', ['preload', 'none', 'metadata']],
    source: ['src', 'type', 'media'],
    track: ['src', 'kind', 'srcLang', 'label', 'default'],
  },
  clobber: [],
};

/** For a page's body, whose ids stand as they are, and for further texts of the same page, whose ids get `idPrefix`. */
export function pageSchema(idPrefix: string): Schema {
  if (idPrefix === '') return PAGE_SCHEMA;
  return { ...PAGE_SCHEMA, clobber: CLOBBER, clobberPrefix: idPrefix };
}

/**
 * Contents of slots, which another party than the page's writes: no class, so that it cannot take on
 * the looks of the framework, and no media but pictures. Ids, which footnotes need, get `idPrefix`, so that nothing
 * of the page is shadowed and two slots of one page do not collide.
 */
export function slotSchema(idPrefix: string): Schema {
  return {
    ...BASE,
    tagNames: [...words(TEXT), ...words(BLOCKS), ...words(TABLES), 'img', 'input'].filter(
      (name) => !['article', 'aside', 'footer', 'header'].includes(name),
    ),
    attributes: {
      ...MARKDOWN,
      // Alerts, as Markdown makes them.
      div: [
        ['className', 'admonition', /^admonition-(?:note|tip|important|warning|caution)$/],
        ['role', 'note'],
      ],
      p: [['className', 'admonition-title']],
    },
    clobber: CLOBBER,
    clobberPrefix: idPrefix,
  };
}
