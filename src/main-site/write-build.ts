/** Writes what a build has rendered: only what is not there yet as an earlier build wrote it. */
import type { FileTree } from '../io/file-tree.ts';
import type { FileStamp, OutputFolder } from '../io/output-folder.ts';
import {
  buildRecordPath,
  readBuildRecord,
  recordedPartners,
  writeBuildRecord,
  type BuiltFile,
} from './build-record.ts';
import type { BuiltPartner } from './build.ts';
import type { MainSite } from './main-site.ts';
import type { PlannedFile } from './plan-release.ts';
import { MAX_ASSET } from './read-assets.ts';

/**
 * Why a file was written, or that it was not: `new` no build has written it · `gone` it is not there any more · `touched` somebody
 * else has changed it · `content` its text, its front matter or its template are others · `filled` what is filled in for the
 * partner is: a value, the navigation, where a link leads · `same` nothing is.
 */
export type BuildReason = 'new' | 'gone' | 'touched' | 'content' | 'filled' | 'same';

export interface Explanation {
  readonly partner: string;
  /** From the partner's web root. */
  readonly path: string;
  /** The main site's file. */
  readonly source: string;
  readonly reason: BuildReason;
  /** Files that its text takes in: `includes/hours.md`. */
  readonly includes: readonly string[];
}

/** What an earlier build wrote for a partner that there is no more. */
export interface GonePartner {
  readonly partner: string;
  /** Files that were taken away, and those that are not as they were written. */
  readonly removed: number;
  readonly left: number;
}

/** Where a build goes. */
export interface BuildOutput {
  readonly files: FileTree;
  /** The same folder, for what comes in bulk. */
  readonly folder: OutputFolder;
  /** A file of the main site, `pages/guide/intro.md`, of which is wanted why it is written. */
  readonly explain?: string | undefined;
  /** Keeps for {@link unchangedBuild} what this build is made of; `config` is the SHA-256 of the `tieup.yaml` that it follows. */
  readonly keep?: { readonly tool: string; readonly config: string } | undefined;
}

export interface BuildFile extends PlannedFile {
  /** Differs whenever the content does. */
  readonly key: string;
  /** The main site's file that it comes from, and those that it takes in. */
  readonly source: string;
  readonly includes?: readonly string[];
}

/** What is there already is left as it is, and what an earlier build wrote for pages that are gone is taken away. */
export async function writeBuild(
  site: MainSite,
  { files: tree, folder, explain: explained }: BuildOutput,
  partner: string,
  files: readonly BuildFile[],
  because: Explanation[],
): Promise<Pick<BuiltPartner, 'bytes' | 'written' | 'removed'>> {
  const before = await readBuildRecord(site.files, folder.label, partner);
  const after = new Map<string, BuiltFile>();
  let bytes = 0;
  let written = 0;
  for (const { file, content, key, source, includes = [] } of files) {
    const path = `${partner}/${file.path}`;
    const known = before.get(file.path);
    let stamp = folder.stamp(path);
    const reason = reasonToWrite(key, known, stamp);
    if (source === explained) because.push({ partner, path: file.path, source, reason, includes });
    if (stamp === undefined || reason !== 'same') {
      written++;
      if (content.kind === 'bytes') stamp = folder.write(path, content.render());
      else {
        const asset = site.files.stream(`${site.config.folders.assets}/${content.asset}`, MAX_ASSET);
        await tree.write(path, asset, { durable: false });
        stamp = folder.stamp(path) ?? { length: file.length, modifiedMs: 0 };
      }
    }
    bytes += stamp.length;
    after.set(file.path, { key, ...stamp });
  }
  const removed = [...before].filter(
    ([path, known]) => !after.has(path) && folder.removeUntouched(`${partner}/${path}`, known),
  ).length;
  folder.close();
  const isNew = written > 0 || before.size !== after.size;
  if (isNew) await writeBuildRecord(site.files, folder.label, partner, after);
  return { bytes, written, removed };
}

/** What earlier builds wrote for partners that there are no more goes, unless somebody has changed it. */
export async function removeBuilds(
  site: Pick<MainSite, 'files'>,
  folder: OutputFolder,
  partners: ReadonlySet<string>,
): Promise<readonly GonePartner[]> {
  const gone: GonePartner[] = [];
  for (const partner of await recordedPartners(site.files, folder.label)) {
    if (partners.has(partner)) continue;
    const record = await readBuildRecord(site.files, folder.label, partner);
    const removed = [...record].filter(([path, known]) => folder.removeUntouched(`${partner}/${path}`, known)).length;
    await site.files.remove(buildRecordPath(folder.label, partner));
    if (record.size > 0) gone.push({ partner, removed, left: record.size - removed });
  }
  return gone;
}

function reasonToWrite(key: string, known: BuiltFile | undefined, stamp: FileStamp | undefined): BuildReason {
  if (known === undefined) return 'new';
  if (stamp === undefined) return 'gone';
  if (stamp.length !== known.length || stamp.modifiedMs !== known.modifiedMs) return 'touched';
  if (known.key === key) return 'same';
  const [constants] = key.split('-');
  return known.key.split('-')[0] === constants ? 'filled' : 'content';
}
