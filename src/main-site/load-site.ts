/** Reads pages, templates and assets from the main site's folder and compiles them once for all partners. */
import { parseFrontMatter } from '../config/front-matter.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import { compileSite } from '../content/site.ts';
import type { PageSource, TemplateSource } from '../content/source.ts';
import { isTieupError, TieupError, type Problem } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readAssets } from './read-assets.ts';
import { walkFiles } from '../io/walk.ts';
import type { MainSite } from './main-site.ts';

export const MAX_PAGE = 50 * 1024 * 1024;
const MAX_TEMPLATE = 2 * 1024 * 1024;

type LoadedFrom = Pick<MainSite, 'config' | 'files' | 'markdown'>;

/** @param at pages come and go by date. @throws TIEUP_E_CONTENT with every problem of every page and template. */
export async function loadSite({ config, files, markdown }: LoadedFrom, at: Date): Promise<CompiledSite> {
  const { folders, site } = config;
  const problems: Problem[] = [];
  const pages = await readPages(files, folders.pages, problems);
  const templates = await readTemplates(files, folders.templates);
  const assets = await readAssets(files, folders.assets);
  try {
    const source = { site, pages, templates, assets, hashAssets: config.assets.hashed, at };
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

async function readPages(files: FileTree, folder: string, problems: Problem[]): Promise<readonly PageSource[]> {
  const pages: PageSource[] = [];
  for await (const { path } of walkFiles(files, folder)) {
    if (!path.endsWith('.md')) continue;
    const file = `${folder}/${path}`;
    const bytes = await files.read(file, MAX_PAGE);
    try {
      pages.push({ path, file, ...parseFrontMatter(decodeText(bytes, file), file) });
    } catch (error) {
      if (!isTieupError(error, 'TIEUP_E_CONTENT')) throw error;
      problems.push(...(error.problems.length > 0 ? error.problems : [{ message: error.message, file }]));
    }
  }
  return pages;
}

async function readTemplates(files: FileTree, folder: string): Promise<readonly TemplateSource[]> {
  const templates: TemplateSource[] = [];
  for await (const { path } of walkFiles(files, folder)) {
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

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const problems = [{ message: 'the file is not valid UTF-8', file }];
    throw new TieupError('TIEUP_E_CONTENT', `${file} is not valid UTF-8`, { cause, problems });
  }
}

function contentError(problems: readonly Problem[]): TieupError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new TieupError('TIEUP_E_CONTENT', `the pages and templates have ${count}`, { problems });
}
