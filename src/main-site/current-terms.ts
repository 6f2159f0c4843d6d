/** The terms as the partnership's file states them now, with the digest of the tariff that they name. */
import { termsOf, type Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { renderTerms, type Terms } from '../protocol/terms.ts';
import type { MainSite } from './main-site.ts';

const MAX_TARIFF = 1024 * 1024;

export interface CurrentTerms {
  readonly terms: Terms;
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** @throws TIEUP_E_CONFIG when the partnership names a tariff that is not in `tariffs/`. */
export async function currentTerms(site: MainSite, partnership: Partnership): Promise<CurrentTerms> {
  const terms = termsOf(partnership, site.config, await tariffDigest(site, partnership));
  const bytes = renderTerms(terms);
  return { terms, bytes, digest: sha256(bytes) };
}

async function tariffDigest(site: MainSite, { id, tariff }: Partnership): Promise<string | undefined> {
  if (tariff === null) return undefined;
  const path = `tariffs/${tariff}.yaml`;
  const bytes = await readIfThere(site.files, path, MAX_TARIFF);
  if (bytes === undefined)
    throw new TieupError(
      'TIEUP_E_CONFIG',
      `the partnership with ${id} names the tariff ${JSON.stringify(tariff)}, but ${path} is missing`,
    );
  return sha256(bytes);
}
