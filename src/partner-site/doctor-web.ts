/** Asks the partner's own web server for what nobody but the two sites should see: then a stranger would get it, too. */
import { CONFIG_FILE } from '../config/config-file.ts';
import { isAbsolute, posix } from 'node:path';
import { isTieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { Machine } from '../io/machine.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { INBOX_METADATA } from '../protocol/exchange.ts';
import { ok, problem, warning, type Finding } from '../report/finding.ts';
import type { PartnerSite } from './partner-site.ts';

const MAX_PROBE = 64 * 1024;

interface Probe {
  /** The folder that would be exposed, as `tieup.yaml` names it. */
  readonly folder: string;
  readonly tree: FileTree;
  /** In `tree`; nothing secret, since it may travel in the clear. */
  readonly path: string;
}

export async function exposureFindings(
  site: PartnerSite,
  machine: Pick<Machine, 'fetch'>,
): Promise<readonly Finding[]> {
  const { exchange, state } = site.config.folders;
  const probes: readonly Probe[] = [
    { folder: exchange, tree: site.exchange, path: `${INBOX_METADATA}/timestamp.json` },
    { folder: state, tree: site.state, path: 'keys/site.vkey' },
    { folder: '.', tree: site.files, path: CONFIG_FILE },
  ];
  const found: Finding[] = [];
  let asked = 0;
  for (const probe of probes) {
    const bytes = await readIfThere(probe.tree, probe.path, MAX_PROBE);
    if (bytes === undefined) continue;
    for (const url of addressesOf(site, probe)) {
      asked += 1;
      const answer = await ask(machine, url);
      if (answer === undefined) return [unreachable(site.config.url)];
      // Many servers answer 200 for everything: only the very bytes show that this file is served.
      if (answer.status === 200 && Buffer.compare(answer.body, bytes) === 0) found.push(exposed(probe.folder, url));
    }
  }
  if (asked === 0) return [ok('exposed', 'there is nothing yet that a web server could give away')];
  return found.length > 0 ? found : [ok('exposed', `visitors of ${site.config.url} see neither exchange nor state`)];
}

/** Where it would be if the web server served the folder of the site, or one further up. */
function addressesOf({ config }: PartnerSite, { folder, path }: Probe): readonly string[] {
  const name = folder === '.' ? '' : posix.basename(folder);
  const relative = isAbsolute(folder) ? name : folder.replace(/^\.\//, '');
  const places = new Set([relative, name].map((place) => posix.join(place === '.' ? '' : place, path)));
  const addresses = [...places].flatMap((place) => [place, `../${place}`]);
  return [...new Set(addresses.map((address) => new URL(address, config.url).href))];
}

async function ask(machine: Pick<Machine, 'fetch'>, url: string) {
  try {
    return await machine.fetch(url, MAX_PROBE);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_CONNECTION')) return undefined;
    throw error;
  }
}

function exposed(folder: string, url: string): Finding {
  const what = folder === '.' ? 'the folder of this site, with its keys,' : `the folder ${JSON.stringify(folder)}`;
  const fix = 'let the web server serve the web root alone (folders.public in tieup.yaml), not the folder above it';
  return problem('exposed', `everybody can read ${what} at ${url}`, fix);
}

function unreachable(url: string): Finding {
  return warning(
    'exposed',
    `your site at ${url} gave no answer, so what it gives away could not be seen`,
    'run it again where the site can be reached, or leave this out: tieup doctor --offline',
  );
}
