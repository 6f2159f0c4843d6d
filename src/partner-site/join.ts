/**
 * Answers an invitation: makes this site a partner site.
 *
 *   invitation, kit → shown to the manager → keys → folders, trusted root, kit → tieup.yaml (last) → signed answer
 *
 * An invitation or a kit that was altered, expired or signed by another key than it carries is refused before anything is made.
 */
import type { PartnerSiteConfig } from '../config/partner-site.ts';
import { TieupError } from '../errors.ts';
import type { Clock } from '../io/clock.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { KeyStore } from '../io/keys.ts';
import { createFiles } from '../io/new-files.ts';
import { sha256 } from '../protocol/digest.ts';
import { publicKeyOf } from '../protocol/ed25519.ts';
import { instant } from '../protocol/instant.ts';
import {
  answerSigner,
  INVITATION_TYPE,
  parseInvitation,
  renderAnswer,
  transcriptDigest,
  type Answer,
  type Invitation,
} from '../protocol/invitation.ts';
import { claimedText, noteSigner, openNote, signNote } from '../protocol/note.ts';
import { renderTerms } from '../protocol/terms.ts';
import { renderVkey, parseVkey, sixWords } from '../protocol/vkey.ts';
import { keepAgreedTerms } from './agreed-terms.ts';
import { PARTNER_SCHEMA, renderPartnerConfig } from './join-config.ts';
import { partnerKeyName } from './own-keys.ts';
import { planKit, type OpenedKit } from './kit.ts';
import { JOINED_ROOT } from './partner-site.ts';

export interface OpenedInvitation {
  readonly invitation: Invitation;
  readonly body: string;
  /** Read them to the main site: it sees the same. */
  readonly words: readonly string[];
}

/** Checks an invitation and makes nothing. @throws TIEUP_E_VERIFY, TIEUP_E_EXPIRED. */
export function openInvitation(bytes: Uint8Array, now: Date): OpenedInvitation {
  const claimed = parseInvitation(claimedText(bytes));
  const { text } = openNote(bytes, [parseVkey(claimed.documentKey)], { type: INVITATION_TYPE });
  const invitation = parseInvitation(text);
  if (now > new Date(invitation.until)) {
    throw new TieupError('TIEUP_E_EXPIRED', `the invitation was good until ${invitation.until}`, {
      hint: 'ask the main site for a new one',
    });
  }
  return { invitation, body: text, words: sixWords(sha256(text)) };
}

export interface JoinRequest {
  readonly opened: OpenedInvitation;
  /** Where the main site will find the exchange, and the host keys of that server. */
  readonly sftp: Answer['sftp'];
  /** This site's address. */
  readonly url: string;
  readonly publish: PartnerSiteConfig['publish'];
  /** Absolute or relative to the folder: see PartnerSiteConfig. */
  readonly folders: PartnerSiteConfig['folders'];
  /** The kit that came with the invitation, opened; undefined when there is none or the manager does without. */
  readonly kit?: OpenedKit | undefined;
  /** JSON Schema of the partner's tieup.yaml, for editors. */
  readonly schema: string;
  /** For the accept key. */
  readonly password: string | undefined;
}

export interface JoinPorts {
  /** The folder that becomes the partner site. */
  readonly files: FileTree;
  readonly exchange: FileTree;
  readonly state: FileTree;
  /** Makes the folder of the state so that nobody else can look into it; fine when it exists. */
  readonly makePrivateState?: () => Promise<void>;
  readonly keys: KeyStore;
  readonly clock: Clock;
  random(length: number): Uint8Array;
}

export interface Joined {
  /** The file to send back. */
  readonly answer: Uint8Array;
  /** The main site's `enroll` will show the same. */
  readonly words: readonly string[];
  /** For `authorized_keys` of the account that the main site logs in to. */
  readonly authorizedKey: string;
}

const CONFIG_FILE = 'tieup.yaml';

/** @throws TIEUP_E_EXISTS when this folder is a tieup site already. */
export async function join(ports: JoinPorts, request: JoinRequest): Promise<Joined> {
  const { invitation, body } = request.opened;
  if ((await ports.files.stat(CONFIG_FILE)) !== undefined) {
    throw new TieupError('TIEUP_E_EXISTS', `${CONFIG_FILE} is there already: this folder belongs to a site`, {
      hint: 'join in an empty folder, or remove the file if the partnership is to start over',
    });
  }
  const missing = request.kit === undefined ? [] : await planKit(ports.files, request.kit);
  const { partner } = invitation.terms;
  const keys = {
    accept: await makeKey(ports, partner, 'accept', request.password),
    site: await makeKey(ports, partner, 'site', undefined),
    log: await makeKey(ports, partner, 'log', undefined),
  };
  const answer: Answer = {
    partner,
    invitation: sha256(body),
    keys,
    sftp: request.sftp,
    url: request.url,
    created: instant(ports.clock.now()),
  };
  const answerBody = renderAnswer(answer);
  const accept = noteSigner(partnerKeyName(partner, 'accept'), await ports.keys.load('accept'));

  for (const folder of ['inbox', 'outbox/decisions']) await ports.exchange.makeFolder(folder);
  await ports.makePrivateState?.();
  for (const [role, line] of Object.entries(keys))
    await ports.state.write(`keys/${role}.vkey`, Buffer.from(`${line}\n`));
  await keepAgreedTerms(ports.state, renderTerms(invitation.terms));
  await createFiles(ports.files, missing);
  await ports.files.write(PARTNER_SCHEMA, Buffer.from(request.schema));
  await ports.state.write(JOINED_ROOT, invitation.root);
  await ports.files.create(CONFIG_FILE, Buffer.from(renderPartnerConfig(invitation, request)));
  return {
    answer: signNote(answerBody, [accept, answerSigner(invitation)]),
    words: sixWords(transcriptDigest(body, answerBody)),
    authorizedKey: `restrict,command="internal-sftp" ${invitation.sshKey}`,
  };
}

/** Makes a key, or takes the one that an interrupted `join` left; returns its vkey line. */
async function makeKey(
  ports: JoinPorts,
  partner: string,
  role: 'accept' | 'site' | 'log',
  password: string | undefined,
): Promise<string> {
  if (!(await ports.keys.has(role))) await ports.keys.create(role, ports.random(32), password);
  return renderVkey(partnerKeyName(partner, role), publicKeyOf(await ports.keys.load(role)));
}
