// What `render` is measured against, each in a process of its own:
//   render PAGES OUT   every page parsed by unified and put into a frame, as the shortest script would do it for one partner
//   write FROM OUT     the files of one folder written into another: what no publisher can go below
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [what, from = '', out = ''] = process.argv.slice(2);
const files = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((path) =>
  statSync(join(from, path)).isFile(),
);

/**
 * @param {string} path
 * @param {string | Uint8Array} content
 */
function put(path, content) {
  const place = join(out, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
}

if (what === 'write') {
  for (const path of files) put(path, readFileSync(join(from, path)));
} else {
  const { unified } = await import('unified');
  const { default: remarkParse } = await import('remark-parse');
  const { default: remarkGfm } = await import('remark-gfm');
  const { default: remarkRehype } = await import('remark-rehype');
  const { default: rehypeRaw } = await import('rehype-raw');
  const { default: rehypeSanitize } = await import('rehype-sanitize');
  const { default: rehypeSlug } = await import('rehype-slug');
  const { default: rehypeStringify } = await import('rehype-stringify');
  const engine = unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(remarkRehype, { allowDangerousHtml: true })
    .use(rehypeRaw)
    .use(rehypeSanitize)
    .use(rehypeSlug)
    .use(rehypeStringify);
  for (const path of files.filter((each) => each.endsWith('.md'))) {
    const text = readFileSync(join(from, path), 'utf8').replace(/^---\n[\s\S]*?\n---\n/, '');
    const body = String(engine.processSync(text));
    put(
      path.replace(/\.md$/, '.html'),
      `<!doctype html>\n<html><head><title>${path}</title></head>\n<body><main>${body}</main></body></html>\n`,
    );
  }
}
