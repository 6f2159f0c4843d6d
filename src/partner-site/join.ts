/**
 * Answers an invitation: makes this site a partner site.
 *
 *   invitation, kit → shown to the manager → plan → keys → folders, trusted root, kit → signed answer → tieup.yaml (last)
 *
 * An invitation or a kit that was altered, expired or signed by another key than it carries is refused before anything is
 * made, and so is an answer that later commands could not use. When something fails half-way, what was made is taken back.
 */
import { CONFIG_FILE } from '../config/config-file.ts';
import { parsePartnerSite, type PartnerSiteConfig } from '../config/partner-site.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { Clock } from '../io/clock.ts';
import type { FileTree } from '../io/file-tree.ts';
import { parseHostKey } from '../io/host-key.ts';
import type { KeyStore } from '../io/keys.ts';
import type { NewFile } from '../io/new-files.ts';
import { parseSftpAddress } from '../io/sftp-address.ts';
import { allOrNothing, type Making } from '../io/take-back.ts';
import { sha256 } from '../protocol/digest.ts';
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
import { claimedText, openNote, signNoteWith } from '../protocol/note.ts';
import { renderTerms } from '../protocol/terms.ts';
import { isIntact } from '../protocol/tuf-chain.ts';
import { checkRootKeys } from '../protocol/tuf-metadata.ts';
import { renderVkey, parseVkey, sixWords } from '../protocol/vkey.ts';
import { AGREED_TERMS } from './agreed-terms.ts';
import { PARTNER_SCHEMA, renderPartnerConfig } from './join-config.ts';
import { partnerKeyName } from './own-keys.ts';
import { planKit, type OpenedKit } from './kit.ts';
import { JOINED_ROOT } from './partner-site.ts';

export interface OpenedInvitation {
  readonly invitation: Invitation;
  readonly body: string;
  /** SHA-256 of `body`. */
  readonly digest: string;
  /** The same in words; the main site's `invite` showed them and the main site reads them out. */
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
  // Everything later is verified from it: with one that is no good, no release would ever be accepted.
  checkRootKeys(invitation.root);
  if (!isIntact({ root: invitation.root })) {
    throw new TieupError('TIEUP_E_VERIFY', 'the root in the invitation is not signed by the keys that it names', {
      hint: 'ask the main site for a new invitation',
    });
  }
  const digest = sha256(text);
  return { invitation, body: text, digest, words: sixWords(digest) };
}

export interface JoinRequest {
  readonly opened: OpenedInvitation;
  /** Where the main site will find the exchange, and the host keys of that server. */
  readonly sftp: Answer['sftp'];
  /** This site's address. */
  readonly url: string;
  /** The server that the site lies on; undefined when it is this machine. */
  readonly site?: PartnerSiteConfig['site'];
  readonly publish: PartnerSiteConfig['publish'];
  /** Absolute or relative to the folder: see PartnerSiteConfig. */
  readonly folders: PartnerSiteConfig['folders'];
  /** The kit that came with the invitation, opened; undefined when there is none or the manager does without. */
  readonly kit?: OpenedKit | undefined;
  /** JSON Schema of the partner's tieup.yaml, for editors. */
  readonly schema: string;
  /** For the accept key. */
  readonly password: string | undefined;
  /** `agent://SHA256:…` when the accept key is one that an ssh-agent holds; a file is made unless given. */
  readonly acceptInAgent?: string | undefined;
}

export interface JoinPorts {
  /** The folder that becomes the partner site. */
  readonly files: FileTree;
  /** Its absolute path, which relative folders are below. */
  readonly base: string;
  readonly exchange: FileTree;
  readonly state: FileTree;
  /** Makes the folder of the state so that nobody else can look into it; fine when it exists. */
  readonly makePrivateState?: () => Promise<void>;
  readonly keys: KeyStore;
  /** Where `keys` keeps its files, to take them back. */
  readonly keyFolder?: FileTree;
  /** Removes the folders that these trees start at, when they were not there before and are empty. */
  readonly takeBackFolders?: () => Promise<void>;
  /** Where to write the answer, before the site counts as joined. */
  readonly answer?: { readonly tree: FileTree; readonly path: string };
  readonly clock: Clock;
  random(length: number): Uint8Array;
}

export interface Joined {
  /** The file to send back. */
  readonly answer: Uint8Array;
  /** SHA-256 over invitation and answer. */
  readonly digest: string;
  /** The same in words, to be read out to the main site, whose `enroll` shows what they must be. */
  readonly words: readonly string[];
  /** For `authorized_keys` of the account that the main site logs in to. */
  readonly authorizedKey: string;
}

/** @throws TIEUP_E_EXISTS when the folder is a tieup site already. */
export async function assertNoSite(files: FileTree): Promise<void> {
  if ((await files.stat(CONFIG_FILE)) === undefined) return;
  throw new TieupError('TIEUP_E_EXISTS', `${CONFIG_FILE} is there already: this folder belongs to a site`, {
    hint: 'join in an empty folder, or remove the file if the partnership is to start over',
  });
}

/** What `join` will write, judged before anything is made. */
export interface JoinPlan {
  readonly config: string;
  readonly kitFiles: readonly NewFile[];
}

/**
 * Judges everything that can be wrong with a request, and makes nothing.
 * @throws TIEUP_E_CONFIG for an address, a host key or a folder that later commands could not use; TIEUP_E_EXISTS for what
 * is in the way.
 */
export async function planJoin(
  { files, base }: Pick<JoinPorts, 'files' | 'base'>,
  request: Omit<JoinRequest, 'password'>,
): Promise<JoinPlan> {
  await assertNoSite(files);
  parseSftpAddress(request.sftp.url);
  for (const line of request.sftp.hostKeys) parseHostKey(line);
  const config = renderPartnerConfig(request.opened.invitation, request);
  try {
    parsePartnerSite(config, CONFIG_FILE, base);
  } catch (cause) {
    if (!isTieupError(cause, 'TIEUP_E_CONFIG')) throw cause;
    throw new TieupError('TIEUP_E_CONFIG', 'this folder cannot become a partner site like that; nothing was made', {
      // Without the place: there is no file yet.
      problems: cause.problems.map(({ message }) => ({ message })),
      cause,
    });
  }
  return { config, kitFiles: request.kit === undefined ? [] : await planKit(files, request.kit) };
}

/** All of it or, when something is wrong or fails, nothing. @throws what {@link planJoin} throws. */
export async function join(ports: JoinPorts, request: JoinRequest): Promise<Joined> {
  const plan = await planJoin(ports, request);
  const { invitation, body } = request.opened;
  const { partner } = invitation.terms;
  return allOrNothing(async (making) => {
    making.remember(async () => ports.takeBackFolders?.());
    const keys = {
      accept: await makeKey(ports, making, partner, 'accept', request),
      site: await makeKey(ports, making, partner, 'site'),
      log: await makeKey(ports, making, partner, 'log'),
    };
    const { sftp, url } = request;
    const created = instant(ports.clock.now());
    const answerBody = renderAnswer({ partner, invitation: sha256(body), keys, sftp, url, created });
    const { sign } = await ports.keys.signer('accept');
    const accept = { ...parseVkey(keys.accept), sign };
    const answer = await signNoteWith(answerBody, [accept, answerSigner(invitation)]);

    for (const folder of ['inbox', 'outbox/decisions']) await making.folder(ports.exchange, folder);
    await ports.makePrivateState?.();
    for (const [role, line] of Object.entries(keys))
      await making.file(ports.state, `keys/${role}.vkey`, Buffer.from(`${line}\n`));
    await making.file(ports.state, AGREED_TERMS, renderTerms(invitation.terms));
    await making.file(ports.state, JOINED_ROOT, invitation.root);
    for (const { path, content } of plan.kitFiles) await making.file(ports.files, path, content);
    await making.file(ports.files, PARTNER_SCHEMA, Buffer.from(request.schema));
    if (ports.answer !== undefined) await making.file(ports.answer.tree, ports.answer.path, answer);
    await making.newFile(ports.files, CONFIG_FILE, Buffer.from(plan.config));

    const digest = transcriptDigest(body, answerBody);
    const authorizedKey = `restrict,command="internal-sftp" ${invitation.sshKey}`;
    return { answer, digest, words: sixWords(digest), authorizedKey };
  });
}

/** Makes a key, or takes the one that an interrupted `join` left; returns its vkey line. */
async function makeKey(
  ports: JoinPorts,
  making: Making,
  partner: string,
  role: 'accept' | 'site' | 'log',
  { password, acceptInAgent }: Partial<Pick<JoinRequest, 'password' | 'acceptInAgent'>> = {},
): Promise<string> {
  const { keys, keyFolder } = ports;
  const isThere = await keys.has(role);
  // Tried at once, there or not: an agent that does not answer leaves nothing behind.
  if (acceptInAgent !== undefined) await keys.refer(role, acceptInAgent);
  else if (!isThere) await keys.create(role, ports.random(32), password);
  if (!isThere) making.remember(async () => keyFolder?.remove(`${role}.key`));
  return renderVkey(partnerKeyName(partner, role), (await keys.signer(role)).publicKey);
}
