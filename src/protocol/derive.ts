/**
 * Keys of one partnership out of a holder's master: every partner has keys of its own for every role.
 *
 * With a key in common, a stock TUF client at partner B takes partner A's repository. Derivation separates partners only:
 * whoever has the master has them all, and the cure for a stolen master is a new master.
 */
import { hkdfSync } from 'node:crypto';
import { TieupError } from '../errors.ts';
import { SEED_LENGTH } from './ed25519.ts';
import { PARTNER_ID } from './names.ts';

/** The TUF role of a key: `online` signs snapshot and timestamp. */
export type Role = 'root' | 'targets' | 'online';

/** Names the holder of a master among those of a role: `main`, `backup`, a person. */
const HOLDER = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * HKDF-SHA-256 (RFC 5869) with an empty salt and the info `tieup/v1/<role>/<holder>/<partner>/<epoch>`: a seed of 32 bytes.
 * `epoch` starts at 1 and rises when the keys of one partner are renewed. No part can contain a slash, so that no two infos are equal.
 * @throws TIEUP_E_KEY when a part is not of its form.
 */
export function deriveSeed(master: Uint8Array, role: Role, holder: string, partner: string, epoch: number): Uint8Array {
  if (master.length !== SEED_LENGTH) throw refused(`a master has ${SEED_LENGTH} bytes, this one has ${master.length}`);
  if (!['root', 'targets', 'online'].includes(role)) throw refused(`there is no role ${JSON.stringify(role)}`);
  if (!HOLDER.test(holder)) throw refused(`${JSON.stringify(holder)} cannot be the name of a key holder`);
  if (!PARTNER_ID.test(partner)) throw refused(`${JSON.stringify(partner)} is not a partner id`);
  if (!Number.isSafeInteger(epoch) || epoch < 1) throw refused(`the epoch ${epoch} is not a whole number from 1 on`);
  const info = `tieup/v1/${role}/${holder}/${partner}/${epoch}`;
  return new Uint8Array(hkdfSync('sha256', master, new Uint8Array(0), info, SEED_LENGTH));
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_KEY', `no key can be derived: ${why}`);
}
