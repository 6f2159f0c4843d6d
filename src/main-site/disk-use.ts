/** What tieup keeps on the disk of the main site. */
import type { MainSite } from './main-site.ts';

export interface DiskUse {
  readonly files: number;
  /** Sum of the files' lengths. */
  readonly bytes: number;
}

/** Of `.tieup/`: caches, what was sent to whom, what they answered, kept sources, logs. */
export async function diskUse(site: Pick<MainSite, 'files'>): Promise<DiskUse> {
  return diskUseOf(site, '.tieup');
}

async function diskUseOf({ files: tree }: Pick<MainSite, 'files'>, folder: string): Promise<DiskUse> {
  let files = 0;
  let bytes = 0;
  for (const { name, kind, length } of await tree.list(folder, { temporary: true })) {
    const { files: more, bytes: longer } =
      kind === 'folder' ? await diskUseOf({ files: tree }, `${folder}/${name}`) : { files: 1, bytes: length };
    files += more;
    bytes += longer;
  }
  return { files, bytes };
}
