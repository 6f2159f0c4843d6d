/** Writes the starter folder of a main site: it builds and, once a partner has joined, pushes as it is. */
import { CONFIG_FILE } from '../config/config-file.ts';
import { parseMainSite, type MainSiteConfig } from '../config/main-site.ts';
import { parsePartnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { KeyName, KeyStore } from '../io/keys.ts';
import { assertAbsent, createFiles, removeWithFolders } from '../io/new-files.ts';
import type { NewFile } from '../io/new-files.ts';
import type { SshKey } from '../io/ssh-key.ts';
import { rootKeyName } from './partner-keys.ts';
import { SPARE_HOLDER } from './root-holders.ts';
import { sampleFiles } from './sample-files.ts';

export interface MainSiteAnswers {
  readonly name: string;
  /** The main site's address. */
  readonly url: string;
  readonly partner: { readonly id: string; readonly name: string; readonly url: string };
  /** Where tie-up pages live at the partner: `/with-northwind/`. */
  readonly mount: string;
  /** The first day of the contract, `YYYY-MM-DD`. */
  readonly from: string;
}

/** What ships with tieup and is copied into the folder. */
export interface StarterParts {
  /** `templates/…`, `assets/…`, `kit/…`, and pages of its own beside those of the sample, or in the place of one of them. */
  readonly framework: readonly NewFile[];
  /** JSON Schemas for editors, as text. */
  readonly schemas: { readonly mainSite: string; readonly partnership: string };
}

export interface InitPorts {
  /** The folder to start in. */
  readonly tree: FileTree;
  /** Its `keys/`. */
  readonly keys: KeyStore;
  readonly random: (length: number) => Uint8Array;
}

/** Two root holders, each enough alone: the second key is there for the day on which the first is lost. */
const ROOTS: MainSiteConfig['roots'] = { threshold: 1, holders: ['main', SPARE_HOLDER] };
/** The masters and the document key; one password seals them all. */
const SEALED_KEYS: readonly KeyName[] = [...ROOTS.holders.map(rootKeyName), 'release', 'online', 'document'];
const SEED_LENGTH = 32;

/** Where the SSH key of the main site lies below its folder of keys. */
export const SSH_KEY_FILE = 'ssh.key';
export const SSH_PUBLIC_KEY_FILE = 'ssh.pub';

/**
 * Plans, then writes everything, or nothing when something is in the way or fails.
 * @returns the paths of the files, in order
 * @throws TIEUP_E_EXISTS with every path that is taken; TIEUP_E_USAGE with every answer that cannot be used
 */
export async function initMainSite(
  { tree, keys, random }: InitPorts,
  answers: MainSiteAnswers,
  parts: StarterParts,
  ssh: SshKey,
  password: string,
): Promise<readonly string[]> {
  const files = [...planMainSite(answers, parts), ...sshFiles(ssh)];
  const keyFiles = SEALED_KEYS.map((name) => `keys/${name}.key`);
  await assertAbsent(tree, [...files.map((file) => file.path), ...keyFiles]);
  try {
    // First, because the store makes its folder so that nobody else can look into it.
    await createKeys(keys, random, password);
    await createFiles(tree, files);
  } catch (error) {
    for (const file of keyFiles) await removeWithFolders(tree, file);
    throw error;
  }
  return [...files.map((file) => file.path), ...keyFiles].toSorted();
}

/** All of them, or the first failure once none is under way any more. */
async function createKeys(keys: KeyStore, random: (length: number) => Uint8Array, password: string): Promise<void> {
  const made = await Promise.allSettled(SEALED_KEYS.map((name) => keys.create(name, random(SEED_LENGTH), password)));
  for (const each of made) if (each.status === 'rejected') throw each.reason;
}

/**
 * The files of the starter folder, without keys.
 * @throws TIEUP_E_USAGE when the answers do not make a valid configuration
 */
export function planMainSite(answers: MainSiteAnswers, parts: StarterParts): readonly NewFile[] {
  const mainSite = renderMainSite(answers);
  const partnership = renderPartnership(answers);
  assertUsable(mainSite, partnership, answers.partner.id);
  const own = new Set(parts.framework.map(({ path }) => path));
  const samples = sampleFiles(answers.name, answers.from).filter(({ path }) => !own.has(path));
  return [
    text(CONFIG_FILE, mainSite),
    text(`partners/${answers.partner.id}.yaml`, partnership),
    text('schemas/main-site.json', parts.schemas.mainSite),
    text('schemas/partnership.json', parts.schemas.partnership),
    text('.gitignore', GITIGNORE),
    ...samples.map((sample) => text(sample.path, sample.text)),
    ...parts.framework,
  ];
}

function text(path: string, content: string): NewFile {
  return { path, content: Buffer.from(content) };
}

function sshFiles({ privateKey, publicKey }: SshKey): NewFile[] {
  return [
    { path: `keys/${SSH_KEY_FILE}`, content: Buffer.from(privateKey), mode: 0o600 },
    { path: `keys/${SSH_PUBLIC_KEY_FILE}`, content: Buffer.from(`${publicKey.trimEnd()}\n`) },
  ];
}

function assertUsable(mainSite: string, partnership: string, partner: string): void {
  try {
    parseMainSite(mainSite, CONFIG_FILE);
    parsePartnership(partnership, `partners/${partner}.yaml`);
  } catch (cause) {
    if (!isTieupError(cause, 'TIEUP_E_CONFIG')) throw cause;
    const problems = cause.problems.map(({ message }) => ({ message }));
    throw new TieupError('TIEUP_E_USAGE', 'these answers do not make a site', { problems, cause });
  }
}

/** A JSON string is a YAML string, whatever is in it. */
const quoted = (value: string): string => JSON.stringify(value);

function renderMainSite({ name, url }: MainSiteAnswers): string {
  return `# yaml-language-server: $schema=schemas/main-site.json
role: main

site:
  name: ${quoted(name)}
  url: ${quoted(url)}
  language: en
  # Pages and templates use these as {{ site.<name> }}.
  values:
    motto: "Small batches, honest labels"

# What a release says to the partner's manager, unless tieup push is told otherwise.
message:
  subject: ${quoted(`New pages from ${name}`)}

# Pictures of pages in smaller widths as well, for small screens; needs: npm install sharp
# images:
#   widths: [480, 960, 1440]

# Days within which partners are asked for an answer.
confirmWithinDays: 14

# Who can sign the roots of your partners' trust, and how many of them it takes. "main" has keys/root.key and "spare"
# keys/root-spare.key: either is enough, and one mends the loss of the other. Keep the spare on another medium, away from here.
roots:
  threshold: ${ROOTS.threshold}
  holders: [${ROOTS.holders.join(', ')}]
`;
}

function renderPartnership({ partner, mount, from }: MainSiteAnswers): string {
  return `# yaml-language-server: $schema=../schemas/partnership.json
id: ${quoted(partner.id)}
name: ${quoted(partner.name)}
url: ${quoted(partner.url)}

# Where your pages live at this partner.
mount: ${quoted(mount)}

# The contract. Until it is over, pages can be pushed.
period:
  from: ${quoted(from)}
  until: null

# Pages choose partners by these: partners: [shops]
tags: [shops]

# Pages and templates use these as {{ partner.<name> }}.
values:
  favourite: "a flat white with the Harbour blend"
  # A colour of the partner, for the line along the header.
  accent: "#7a3e1d"

# Pictures of this partner, in a folder beside this file that is called after its id; templates show this one
# with <img src="{{ partner.logo }}" alt="{{ partner.name }}">.
# images:
#   logo: logo.svg

# What your pages may do at this partner; the partner confirms it when it joins.
policy:
  scripts: none
  search: canonical-to-main

# tieup enroll fills in the rest when the partner has answered your invitation.
`;
}

const GITIGNORE = `# Secret keys: keep a copy of them in a safe place, never in a repository.
keys/
# What tieup remembers on this machine; it can be made again.
.tieup/
# The output of tieup build.
build/
`;
