// The real pages that the benchmarks work on. They are not part of the project.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must } from './processes.mjs';

const folder = resolve(process.env['TIEUP_CORPUS'] ?? fileURLToPath(new URL('../../shared/corpus', import.meta.url)));

/**
 * Unpacks the pages into `target`.
 * @param {string} target
 */
export async function unpackPages(target) {
  const archive = join(folder, 'pages.tar.gz');
  if (!existsSync(archive)) {
    throw new Error(
      'the corpus is not there: set TIEUP_CORPUS to a folder with a pages.tar.gz of Markdown pages, ' +
        'or put it into ../shared/corpus beside the project',
    );
  }
  mkdirSync(target, { recursive: true });
  await must('tar', ['xzf', archive, '-C', target]);
}

/** The sample of an access log, one character a byte. */
export function sampleLog() {
  const file = join(folder, 'nginx-combined.log.gz');
  if (!existsSync(file)) {
    throw new Error('the corpus is not there: set TIEUP_CORPUS to a folder with an nginx-combined.log.gz');
  }
  return gunzipSync(readFileSync(file)).toString('latin1');
}

/**
 * The Markdown files below `root`, sorted, relative to it.
 * @param {string} root
 * @returns {readonly string[]}
 */
export function markdownFiles(root) {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .sort();
}
