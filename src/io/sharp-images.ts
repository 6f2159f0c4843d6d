/** An {@link ImageSizer} over sharp, an optional package. */
import type Sharp from 'sharp';
import { isTieupError, TieupError } from '../errors.ts';
import type { ImageSizer } from './image-sizer.ts';

/** Undefined where sharp is not installed. */
export async function sharpImages(): Promise<ImageSizer | undefined> {
  let sharp: typeof Sharp;
  try {
    ({ default: sharp } = await import('sharp'));
  } catch (cause) {
    if (isAbsent(cause)) return undefined;
    throw new TieupError('TIEUP_E_FAILED', 'sharp, which makes pictures smaller, is installed but does not start', {
      hint: 'install it anew: npm install sharp',
      cause,
    });
  }
  return {
    version: `sharp-${sharp.versions.sharp ?? ''}-vips-${sharp.versions.vips}`,
    async resize(bytes, width) {
      try {
        return await sharp(bytes, { failOn: 'error' }).rotate().resize({ width, withoutEnlargement: true }).toBuffer();
      } catch (cause) {
        if (isTieupError(cause)) throw cause;
        throw new TieupError('TIEUP_E_CONTENT', 'the picture cannot be read', { cause });
      }
    },
  };
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
