/**
 * A partner's statement of its public keys after a rotation; the body of a note that its accept key signs. When the accept
 * key itself is new, the one before and the new one both sign, and the main site's operator compares words by voice.
 */
import { TieupError } from '../errors.ts';
import { canonical, fieldReader, parseFields, renderFields, type FieldShape } from './fields.ts';
import { PARTNER_ID } from './names.ts';
import { parseVkey } from './vkey.ts';

export interface PartnerKeys {
  readonly partner: string;
  /** From 1 on, rising with every statement. */
  readonly seq: number;
  /** Vkey lines. */
  readonly accept: string;
  readonly site: string;
  readonly log: string;
  readonly time: string;
}

export const KEYS_TYPE = 'tieup-keys/1';

const ROLES = ['accept', 'site', 'log'] as const;
const SHAPE: FieldShape<'partnership' | 'seq' | 'accept' | 'site' | 'log' | 'time'> = [
  ['partnership', 1],
  ['seq', 1],
  ['accept', 1],
  ['site', 1],
  ['log', 1],
  ['time', 1],
];

export function renderKeys(keys: PartnerKeys): string {
  return renderFields(KEYS_TYPE, SHAPE, {
    partnership: [keys.partner],
    seq: [String(keys.seq)],
    accept: [keys.accept],
    site: [keys.site],
    log: [keys.log],
    time: [keys.time],
  });
}

/** @throws TIEUP_E_VERIFY when the text is not exactly one statement, or a key is not one of this partner's name and role. */
export function parseKeys(text: string): PartnerKeys {
  const read = fieldReader(KEYS_TYPE, parseFields(KEYS_TYPE, SHAPE, text));
  const partner = read.matching('partnership', 0, PARTNER_ID, 'a partner id');
  for (const role of ROLES) {
    const { name } = parseVkey(read.text(role));
    if (name === `${partner}/${role}`) continue;
    throw new TieupError('TIEUP_E_VERIFY', `the ${role} key of ${partner} is called ${JSON.stringify(name)}`);
  }
  const keys: PartnerKeys = {
    partner,
    seq: read.count('seq'),
    accept: read.text('accept'),
    site: read.text('site'),
    log: read.text('log'),
    time: read.instant('time'),
  };
  if (keys.seq < 1)
    throw new TieupError('TIEUP_E_VERIFY', 'the statement of keys is not in its canonical form: it has the number 0');
  return canonical('the statement of keys', text, keys, renderKeys);
}
