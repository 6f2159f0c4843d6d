/**
 * Takes in the answer of a new partner: the other half of `invite`.
 *
 *   answer → signature of its own accept key → one-time secret → words by voice → partnership file
 *
 * Whoever intercepts both files could answer in the partner's place; that is what the six words are compared for.
 */
import type { Partnership } from '../config/partnership.ts';
import { editYaml } from '../config/document.ts';
import { TieupError } from '../errors.ts';
import {
  ANSWER_TYPE,
  answersInvitation,
  parseAnswer,
  transcriptOf,
  type ReceivedAnswer,
} from '../protocol/invitation.ts';
import { claimedText, openNote } from '../protocol/note.ts';
import { parseVkey, sixWords } from '../protocol/vkey.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnership, partnershipFile, readPartnershipText } from './partnerships.ts';

export interface Enrolment {
  readonly partnership: Partnership;
  readonly answer: ReceivedAnswer;
  /** The partner's `join` showed the same. */
  readonly words: readonly string[];
}

/** Checks an answer and changes nothing. @throws TIEUP_E_VERIFY when it does not belong to the open invitation. */
export async function openAnswer(site: MainSite, bytes: Uint8Array): Promise<Enrolment> {
  const { text, answer } = openOwnSignature(bytes);
  const partnership = await loadPartnership(site, answer.partner);
  const { invitation } = partnership;
  const refuse = (why: string, hint: string) =>
    new TieupError('TIEUP_E_VERIFY', `the answer of ${answer.partner} is refused: ${why}`, { hint });
  if (invitation === null) {
    throw refuse(
      'there is no open invitation, or it was answered already',
      `run tieup invite ${answer.partner} to start anew`,
    );
  }
  if (site.clock.now() > new Date(invitation.until)) {
    throw refuse(`the invitation was good until ${invitation.until}`, `run tieup invite ${answer.partner} again`);
  }
  if (answer.invitation !== invitation.digest || !answersInvitation(answer, invitation.secretDigest)) {
    throw refuse(
      'it does not know the secret of the invitation that was sent last',
      'let the partner join with the newest invitation',
    );
  }
  return { partnership, answer, words: sixWords(transcriptOf(answer.invitation, text)) };
}

/** Records the partner; comments in its file stay. */
export async function enroll(site: MainSite, { partnership, answer }: Enrolment): Promise<void> {
  const { id } = partnership;
  const text = editYaml(await readPartnershipText(site, id), partnershipFile(site, id), [
    { path: ['status'], value: 'active' },
    { path: ['url'], value: answer.url },
    { path: ['sftp'], value: answer.sftp },
    { path: ['keys'], value: answer.keys },
    { path: ['invitation'], value: null },
  ]);
  await site.files.write(partnershipFile(site, id), Buffer.from(text));
}

/** The answer carries the key that signs it: the signature shows only that nothing was altered on the way. */
function openOwnSignature(bytes: Uint8Array): { readonly text: string; readonly answer: ReceivedAnswer } {
  const claimed = parseAnswer(claimedText(bytes));
  const { text } = openNote(bytes, [parseVkey(claimed.keys.accept)], { type: ANSWER_TYPE });
  return { text, answer: parseAnswer(text) };
}
