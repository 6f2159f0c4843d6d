/**
 * Takes in the answer of a new partner: the other half of `invite`.
 *
 *   answer → signature of its own accept key → open invitation → signature of the one-time key → words by voice → partnership file
 *
 * Whoever intercepts both files could answer in the partner's place; that is what the six words are compared for.
 */
import type { YamlEdit } from '../config/document.ts';
import type { Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import { describeHostKey, parseHostKey } from '../io/host-key.ts';
import { parseSftpAddress } from '../io/sftp-address.ts';
import { ANSWER_TYPE, assertKnowsSecret, parseAnswer, transcriptOf, type Answer } from '../protocol/invitation.ts';
import { claimedText, openNote } from '../protocol/note.ts';
import { parseVkey, sixWords } from '../protocol/vkey.ts';
import type { MainSite } from './main-site.ts';
import { editPartnership, loadPartnership, planEdit } from './partnerships.ts';

export interface Enrolment {
  readonly partnership: Partnership;
  readonly answer: Answer;
  /** `ED25519 SHA256:…`: the host keys that will be pinned. */
  readonly hostKeys: readonly string[];
  /** SHA-256 over invitation and answer. */
  readonly digest: string;
  /** The same in words; the partner's `join` showed them and its manager reads them out. */
  readonly words: readonly string[];
}

/** Checks an answer and changes nothing. @throws TIEUP_E_VERIFY when it does not belong to the open invitation. */
export async function openAnswer(site: MainSite, bytes: Uint8Array): Promise<Enrolment> {
  const { text, answer } = openOwnSignature(bytes);
  const partnership = await loadPartnership(site, answer.partner);
  const invitation = openInvitationOf(partnership);
  if (site.clock.now() > new Date(invitation.until)) {
    throw refused(answer.partner, `the invitation was good until ${invitation.until}`, {
      hint: `run tieup invite ${answer.partner} again`,
    });
  }
  assertAnswers(answer, bytes, invitation);
  const hostKeys = await checked(site, answer);
  const digest = transcriptOf(answer.invitation, text);
  return { partnership, answer, hostKeys, digest, words: sixWords(digest) };
}

/** Records the partner; comments in its file stay. @throws TIEUP_E_VERIFY when the invitation was answered meanwhile. */
export async function enroll(site: MainSite, { answer }: Enrolment): Promise<void> {
  const { digest } = openInvitationOf(await loadPartnership(site, answer.partner));
  if (digest !== answer.invitation) throw notTheNewest(answer.partner);
  await editPartnership(site, answer.partner, recordOf(answer));
  await site.history.add({ action: 'enroll', partner: answer.partner, digest: answer.invitation });
}

/** The answer carries the key that signs it: the signature shows only that nothing was altered on the way. */
function openOwnSignature(bytes: Uint8Array): { readonly text: string; readonly answer: Answer } {
  const claimed = parseAnswer(claimedText(bytes));
  const { text } = openNote(bytes, [parseVkey(claimed.keys.accept)], { type: ANSWER_TYPE });
  return { text, answer: parseAnswer(text) };
}

type OpenInvitation = NonNullable<Partnership['invitation']>;

function openInvitationOf({ id, status, invitation }: Partnership): OpenInvitation {
  if (invitation !== null) return invitation;
  if (status !== 'invited') throw refused(id, `its invitation was answered already, and its status is ${status}`);
  throw refused(id, 'there is no open invitation', { hint: `run tieup invite ${id}` });
}

function assertAnswers(answer: Answer, bytes: Uint8Array, { digest, answerKey }: OpenInvitation): void {
  if (answer.invitation !== digest) throw notTheNewest(answer.partner);
  try {
    assertKnowsSecret(bytes, answerKey);
  } catch (cause) {
    throw notTheNewest(answer.partner, cause);
  }
}

/**
 * Judges everything that would be recorded before anybody is asked: a partner that can be written down but not read or
 * reached afterwards would stop every later command.
 * @returns the fingerprints of the host keys
 */
async function checked(site: MainSite, answer: Answer): Promise<readonly string[]> {
  const { partner, keys, sftp } = answer;
  try {
    for (const [role, line] of Object.entries(keys)) {
      const { name } = parseVkey(line);
      if (name !== `${partner}/${role}`) throw refused(partner, `its ${role} key is called ${JSON.stringify(name)}`);
    }
    parseSftpAddress(sftp.url);
    const fingerprints = sftp.hostKeys.map((line) => describeHostKey(parseHostKey(line)));
    await planEdit(site, partner, recordOf(answer));
    return fingerprints;
  } catch (cause) {
    if (!isTieupError(cause, 'TIEUP_E_CONFIG')) throw cause;
    const [problem] = cause.problems;
    throw refused(partner, problem?.message ?? cause.message, { hint: 'let the partner join again', cause });
  }
}

function recordOf({ url, sftp, keys }: Answer): readonly YamlEdit[] {
  return [
    { path: ['status'], value: 'active' },
    { path: ['url'], value: url },
    { path: ['sftp'], value: sftp },
    { path: ['keys'], value: keys },
    { path: ['invitation'], value: null },
    // A partner that starts over counts its statements of keys from 1 again.
    { path: ['keysSeq'], value: undefined },
  ];
}

function notTheNewest(partner: string, cause?: unknown): TieupError {
  return refused(partner, 'it does not know the secret of the invitation that was sent last', {
    hint: 'let the partner join with the newest invitation',
    cause,
  });
}

function refused(partner: string, why: string, details: { hint?: string; cause?: unknown } = {}): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the answer of ${partner} is refused: ${why}`, details);
}
