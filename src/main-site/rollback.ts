/**
 * Brings a partner an earlier release again, as a new one: numbers only rise.
 *
 *   what that release was made of → its pages, byte for byte → push
 *
 * Nothing is pushed unless every file comes out as it was signed then. Terms and message are those of today.
 */
import { CONFIG_FILE, MAX_CONFIG } from '../config/config-file.ts';
import { parseMainSite } from '../config/main-site.ts';
import type { CompiledSite, SiteFile } from '../content/compiled-site.ts';
import type { PartnerView } from '../content/source.ts';
import { TieupError } from '../errors.ts';
import type { Release, ReleaseFile } from '../protocol/release.ts';
import { sha256 } from '../protocol/digest.ts';
import { instant } from '../protocol/instant.ts';
import { removeTree } from '../publish/remove-tree.ts';
import { decodeText } from './decode-text.ts';
import { holding } from './holds.ts';
import { readKeptImages, unpackSources } from './kept-sources.ts';
import { recall } from './learn-remote.ts';
import { loadSite } from './load-site.ts';
import { keepMadeOf, readMadeOf, type MadeOf } from './made-of.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerView } from './partner-view.ts';
import { assertInForce } from './in-force.ts';
import { loadPartnership } from './partnerships.ts';
import { pushOne, type OnePush } from './push-one.ts';
import type { PushResult } from './push.ts';
import { recallRelease } from './sent-releases.ts';

export interface RollbackRequest extends Pick<
  OnePush,
  'message' | 'deadlineMs' | 'maxDelete' | 'confirmed' | 'onProgress'
> {
  readonly partner: string;
  /** Number of the release whose pages are wanted; the one before the pages of now unless given. */
  readonly to?: number | undefined;
}

export interface RolledBack {
  readonly result: PushResult;
  /** The release whose pages these are. */
  readonly to: number;
}

const UNPACKED = '.tieup/rollback';
const MAX_NAMED = 20;

/**
 * @throws TIEUP_E_NOT_FOUND when what it was made of is not kept, TIEUP_E_DRIFT when other bytes come out of it today,
 * TIEUP_E_CONTRACT when the contract is not in force; nothing is pushed then
 */
export async function rollbackTo(site: MainSite, request: RollbackRequest): Promise<RolledBack> {
  const { partner, message } = request;
  const partnership = await loadPartnership(site, partner);
  assertInForce(partnership, site.clock.now());
  const { made, current } = await findRelease(site, partner, request.to);
  const { release: to } = made.content;
  const then = await recallRelease(site, partner, made.content.releaseDigest);
  if (then === undefined) throw gone(to, []);
  if (made.view.mount !== partnership.mount)
    throw new TieupError(
      'TIEUP_E_CONFLICT',
      `release ${to} lies below ${made.view.mount}, and the terms say ${partnership.mount} now`,
      {
        hint: 'nothing was pushed; change the pages instead, and push',
      },
    );
  const folder = `${UNPACKED}/${made.sources}-${site.owner.pid}`;
  try {
    await unpackSources(site, made.sources, folder);
    const { images = [] } =
      made.images === undefined
        ? await loadPartnerView(site, partnership)
        : { images: await readKeptImages(site, made.images) };
    const { compiled, assets } = await makeAgain(site, { ...made, view: { ...made.view, images } }, then, folder);
    const { config } = site;
    // A tree of its own: assets are remembered by the tree that they are read from.
    const within = { ...site, files: { ...site.files }, config: { ...config, folders: { ...config.folders, assets } } };
    const hold = { release: current + 1, to, since: instant(site.clock.now()) };
    const result = await holding(site, partner, hold, () =>
      pushOne(within, Promise.resolve(compiled), partnership, {
        ...request,
        full: false,
        message: { subject: message.subject ?? `${config.site.name}: back to release ${to}`, text: message.text },
        action: 'rollback',
        afterwards: ({ release, releaseDigest }) => keepMadeOf(site, partner, { ...made, release, releaseDigest }),
      }),
    );
    return { result, to };
  } finally {
    await removeTree(site.files, folder);
  }
}

async function findRelease(
  site: MainSite,
  partner: string,
  wanted: number | undefined,
): Promise<{ readonly made: MadeOf; readonly current: number }> {
  const known = await readMadeOf(site, partner);
  const current = (await recall(site, partner))?.base.release.release;
  if (current === undefined)
    throw new TieupError('TIEUP_E_USAGE', `nothing was pushed to ${partner} from this machine`, {
      hint: 'roll back on the machine that pushes',
    });
  const shown = known.find(({ release }) => release === current)?.content.release ?? current;
  const earlier = known.filter(({ release }) => release < current).map(({ release }) => release);
  if (wanted !== undefined && wanted >= current)
    throw new TieupError('TIEUP_E_USAGE', `release ${wanted} is not earlier than ${current}, the newest of ${partner}`);
  const found =
    wanted === undefined
      ? known.findLast(({ release, content }) => release === content.release && release < shown)
      : known.find(({ release }) => release === wanted);
  if (found === undefined) throw gone(wanted, earlier);
  return { made: found, current };
}

function gone(release: number | undefined, earlier: readonly number[]): TieupError {
  const what = release === undefined ? 'an earlier release' : `release ${release}`;
  const kept = earlier.length === 0 ? 'no earlier one is' : `kept are ${earlier.join(', ')}`;
  return new TieupError('TIEUP_E_NOT_FOUND', `what ${what} was made of is not kept on this machine; ${kept}`, {
    hint: 'nothing was pushed; put the pages back as they were, from your version control, and run tieup push',
  });
}

interface MadeAgain {
  readonly compiled: CompiledSite;
  /** The folder of its assets. */
  readonly assets: string;
}

async function makeAgain(
  site: MainSite,
  made: MadeOf & { readonly view: PartnerView },
  then: Release,
  folder: string,
): Promise<MadeAgain> {
  const text = decodeText(await site.files.read(`${folder}/${CONFIG_FILE}`, MAX_CONFIG), CONFIG_FILE);
  const config = parseMainSite(text, CONFIG_FILE);
  const { pages, templates, assets, data, includes } = config.folders;
  const within = (name: string): string => `${folder}/${name}`;
  const folders = {
    ...config.folders,
    pages: within(pages),
    templates: within(templates),
    assets: within(assets),
    data: within(data),
    includes: within(includes),
  };
  const compiled = await loadSite({ ...site, config: { ...config, folders } }, new Date(made.at));
  const files = asSigned(compiled.filesFor(made.view), then);
  return { compiled: { ...compiled, filesFor: () => files }, assets: folders.assets };
}

/** @throws TIEUP_E_DRIFT with every file that comes out otherwise. */
function asSigned(files: readonly SiteFile[], then: Release): readonly SiteFile[] {
  const signed = new Map(then.files.map((file) => [file.path, file]));
  const wrong: string[] = [];
  const again = files.map((file) => {
    const before = signed.get(file.path);
    signed.delete(file.path);
    if (before === undefined || digestOf(file, before) !== before.digest) wrong.push(file.path);
    return before === undefined ? file : withNumber(file, before.since);
  });
  wrong.push(...signed.keys());
  if (wrong.length === 0) return again;
  throw new TieupError(
    'TIEUP_E_DRIFT',
    `release ${then.release} of ${then.partner} cannot be made again byte for byte: ${wrong.length} of its files come out otherwise`,
    {
      problems: wrong.slice(0, MAX_NAMED).map((path) => ({ message: `${path} differs` })),
      hint: 'nothing was pushed; another version of tieup may have made it, or a file was edited during that push',
    },
  );
}

function digestOf(file: SiteFile, { since }: ReleaseFile): string {
  switch (file.kind) {
    case 'asset':
      return file.digest;
    case 'page':
      return sha256(file.render(since).bytes);
    case 'redirect':
    case 'document':
      return sha256(file.render());
  }
}

/** A page may show the number of the release in which it last changed: here it is the one of then. */
function withNumber(file: SiteFile, since: number): SiteFile {
  if (file.kind !== 'page') return file;
  const { kind, path, file: source, inherit, title, includes } = file;
  return {
    kind,
    path,
    file: source,
    inherit,
    title,
    includes,
    key: () => file.key(since),
    alike: () => file.alike(),
    shape: () => file.shape(),
    render: (_since, scratch) => file.render(since, scratch),
    dissect: () => file.dissect(since),
  };
}
