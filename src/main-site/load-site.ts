/** Reads pages, templates and assets from the main site's folder and compiles them once for all partners. */
import { mentionedNames } from '../content/assets.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import { compileSite } from '../content/site.ts';
import type { IncludeSource, TemplateSource } from '../content/source.ts';
import { isTieupError, TieupError, type Problem } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { ImageSizer } from '../io/image-sizer.ts';
import { decodeText } from './decode-text.ts';
import type { MainSite } from './main-site.ts';
import { ownFiles } from './own-files.ts';
import { readAssets } from './read-assets.ts';
import { readData } from './read-data.ts';
import { MAX_PAGE, readPages } from './read-pages.ts';

const MAX_TEMPLATE = 2 * 1024 * 1024;

type LoadedFrom = Pick<MainSite, 'config' | 'files' | 'markdown' | 'memory' | 'identity' | 'images'>;

/** @param at pages come and go by date. @throws TIEUP_E_CONTENT with every problem of every page and template. */
export async function loadSite(from: LoadedFrom, at: Date): Promise<CompiledSite> {
  const { config, files, markdown, images } = from;
  const { folders, site } = config;
  const problems: Problem[] = [];
  const pages = await readPages(from, problems);
  const templates = await readTemplates(files, folders.templates);
  const data = await readData(files, folders.data, problems);
  const includes = await readIncludes(files, folders.includes);
  const { widths, sizes } = config.images;
  const shown = mentionedNames([...pages.map(({ markdown: text }) => text), ...includes.map(({ text }) => text)]);
  const resizing = widths.length === 0 ? undefined : { sizer: await sizerOf(images), widths, shown };
  const assets = await readAssets(files, folders.assets, resizing);
  try {
    const { hashed: hashAssets } = config.assets;
    const content = { site, pages, templates, assets, data, includes, markdown: config.markdown };
    const source = { ...content, hashAssets, imageSizes: sizes, at };
    const compiled = await compileSite(source, markdown);
    if (problems.length > 0) throw contentError(problems);
    return compiled;
  } catch (error) {
    if (problems.length > 0 && isTieupError(error, 'TIEUP_E_CONTENT')) {
      throw contentError([...problems, ...error.problems.filter((problem) => !problems.includes(problem))]);
    }
    throw error;
  }
}

/** Widths that were asked for and cannot be made would make a release which another machine undoes. */
async function sizerOf(images: MainSite['images']): Promise<ImageSizer> {
  const sizer = await images();
  if (sizer !== undefined) return sizer;
  throw new TieupError('TIEUP_E_CONFIG', '`images.widths` needs sharp, which is not installed', {
    hint: 'npm install sharp, or leave `widths` out of tieup.yaml',
  });
}

async function readTemplates(files: FileTree, folder: string): Promise<readonly TemplateSource[]> {
  const templates: TemplateSource[] = [];
  for await (const { path } of ownFiles(files, folder)) {
    if (!path.endsWith('.html')) continue;
    const file = `${folder}/${path}`;
    templates.push({
      name: path.slice(0, -'.html'.length),
      file,
      text: decodeText(await files.read(file, MAX_TEMPLATE), file),
    });
  }
  return templates;
}

async function readIncludes(files: FileTree, folder: string): Promise<readonly IncludeSource[]> {
  const includes: IncludeSource[] = [];
  for await (const { path } of ownFiles(files, folder)) {
    if (!path.endsWith('.md')) continue;
    const file = `${folder}/${path}`;
    const text = decodeText(await files.read(file, MAX_PAGE), file);
    includes.push({ path, file, text: text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n') });
  }
  return includes;
}

function contentError(problems: readonly Problem[]): TieupError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new TieupError('TIEUP_E_CONTENT', `the pages and templates have ${count}`, { problems });
}
