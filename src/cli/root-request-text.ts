/** A root request in words: what its holders are about to sign. */
import {
  changeOf,
  countSignatures,
  missingHolders,
  requestDigest,
  type PartnerRootRequest,
  type RootRequest,
} from '../protocol/root-request.ts';
import { sixWords } from '../protocol/vkey.ts';
import { visible } from './visible.ts';

/** Partners that are written out; the others are counted. */
const SHOWN = 20;

export function rootRequestText(request: RootRequest): string {
  const { site, reason, created, threshold, holders, partners } = request;
  const missing = missingHolders(request);
  const lines = [
    `new roots for ${visible(site)}: ${visible(reason)}, asked for on ${created}`,
    `  from then on ${threshold} of these must sign a root: ${holders.map(visible).join(', ')}`,
    ...partners.slice(0, SHOWN).map((each) => `  ${visible(each.partner)}: ${partnerText(each)}`),
    ...(partners.length > SHOWN ? [`  and ${partners.length - SHOWN} more partners`] : []),
  ];
  if (missing.length > 0) lines.push(`the public keys of ${missing.map(visible).join(', ')} are still missing`);
  else lines.push(...signatureLines(request), ...digestLines(requestDigest(request)));
  return lines.join('\n');
}

function partnerText(each: PartnerRootRequest): string {
  const { isFirst, newRelease, newOnline, newHolders, removedKeys } = changeOf(each);
  const until = `root ${each.version}, good until ${each.expires.slice(0, 10)}`;
  if (isFirst) return `${until}, its first`;
  const changes = [
    ...(newRelease ? ['a new release key'] : []),
    ...(newOnline ? ['a new online key'] : []),
    ...(newHolders.length > 0 ? [`root keys of ${newHolders.map(visible).join(', ')} come`] : []),
    ...(removedKeys > 0 ? [`${removedKeys} of the root keys go`] : []),
  ];
  return `${until}; ${changes.length === 0 ? 'the same keys' : changes.join(', ')}`;
}

function signatureLines(request: RootRequest): readonly string[] {
  const counts = request.partners.map((each) => countSignatures(request, each));
  const least = (whose: 'own' | 'before') => {
    const [first, ...rest] = counts.map((each) => each[whose]);
    return rest.reduce((a, b) => (b !== undefined && a !== undefined && b.have < a.have ? b : a), first);
  };
  const [own, before] = [least('own'), least('before')];
  if (own === undefined || before === undefined) return [];
  const old = before.needed === 0 ? '' : `, ${before.have} of ${before.needed} that the present root asks for`;
  return [`signed by ${own.have} of ${own.needed} that the new root asks for${old}`];
}

function digestLines(digest: string): readonly string[] {
  return [
    'every holder must see the same words; read them to each other:',
    `  ${sixWords(digest).join(' ')}`,
    `  ${digest}`,
  ];
}
