/**
 * The pictures that a main site keeps of a partner, judged before anything is pushed: by what they are, not by what they
 * are called. Threat: a logo that somebody sent, and that runs a script or is too large for every page to load.
 */
import type { Partnership } from '../config/partnership.ts';
import { type ImageSize, readImageHeader } from '../content/image-header.ts';
import type { PartnerImage } from '../content/source.ts';
import { isTieupError, type Problem, TieupError } from '../errors.ts';
import { findActiveContent } from '../merge/active-content.ts';
import { sha256 } from '../protocol/digest.ts';
import { hashedName } from '../protocol/hashed-name.ts';
import type { MainSite } from './main-site.ts';
import { partnershipFile } from './partnerships.ts';

export interface CheckedImage {
  /** `logo` */
  readonly name: string;
  readonly image: PartnerImage;
  readonly size: ImageSize | undefined;
}

const MAX_BYTES = 512 * 1024;
const MAX_SIDE = 4096;

/** @throws TIEUP_E_CONTENT with everything that is wrong with them. */
export async function loadPartnerImages(
  site: Pick<MainSite, 'config' | 'files'>,
  partnership: Pick<Partnership, 'id' | 'images'>,
): Promise<readonly CheckedImage[]> {
  const { id, images } = partnership;
  const problems: Problem[] = [];
  const checked: CheckedImage[] = [];
  for (const [name, fileName] of Object.entries(images)) {
    const file = `${site.config.folders.partners}/${id}/${fileName}`;
    const bytes = await read(site, file, partnershipFile(site, id), problems);
    if (bytes === undefined) continue;
    const found = imageProblems(bytes, file);
    problems.push(...found.map((message) => ({ file, message })));
    if (found.length > 0) continue;
    const digest = sha256(bytes);
    const extension = fileName.slice(fileName.lastIndexOf('.'));
    const path = hashedName(`assets/partner/${name}${extension}`, digest);
    checked.push({ name, image: { file, path, bytes, digest }, size: readImageHeader(bytes)?.size });
  }
  if (problems.length > 0)
    throw new TieupError('TIEUP_E_CONTENT', `the pictures of partner "${id}" cannot be published`, { problems });
  return checked;
}

async function read(
  { files }: Pick<MainSite, 'files'>,
  file: string,
  namedIn: string,
  problems: Problem[],
): Promise<Uint8Array | undefined> {
  try {
    // Of its own: what a tree hands out may be used for the next file.
    return Uint8Array.from(await files.read(file, MAX_BYTES));
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND'))
      problems.push({ file, message: `is not there, but ${namedIn} names it` });
    else if (isTieupError(error, 'TIEUP_E_TOO_LARGE'))
      problems.push({ file, message: `has more than ${MAX_BYTES / 1024} KB, which every page would load` });
    else throw error;
    return undefined;
  }
}

function imageProblems(bytes: Uint8Array, file: string): readonly string[] {
  const header = readImageHeader(bytes);
  if (header === undefined) return ['is no picture of a format that pages can show'];
  const { format, size } = header;
  const called = file.slice(file.lastIndexOf('.') + 1).replace('jpg', 'jpeg');
  if (called !== format) return [`is called .${called}, but is a picture of the format ${format}`];
  if (size !== undefined && Math.max(size.width, size.height) > MAX_SIDE)
    return [`is ${size.width} × ${size.height} pixels large, more than ${MAX_SIDE}`];
  if (size === undefined && format !== 'svg') return ['does not say how large it is: it is damaged'];
  return format === 'svg' ? findActiveContent(bytes, file).map(({ what }) => `holds ${what}`) : [];
}
