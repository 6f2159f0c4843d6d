/** The redirects of a release as they are live, and as lines for a web server that answers them itself. */
import type { ReleaseFile } from '../protocol/release.ts';
import { choiceFor, type Choices } from './choices.ts';
import { percentEncode, type Ledger } from './ledger.ts';

export const WEB_SERVERS = ['nginx', 'apache', 'caddy'] as const;
export type WebServer = (typeof WEB_SERVERS)[number];

/** Paths from the web root, as they are published. */
export interface Redirect {
  readonly from: string;
  readonly to: string;
}

/** Those of which both ends are live: what is withheld, kept out or renamed leads nobody astray. */
export function liveRedirects(
  files: readonly Pick<ReleaseFile, 'path' | 'redirect'>[],
  choices: Choices,
  ledger: Pick<Ledger, 'entries'>,
): readonly Redirect[] {
  const published = (path: string): string => {
    const choice = choiceFor(choices, path);
    return typeof choice === 'object' ? choice.rename : path;
  };
  return files
    .flatMap(({ path, redirect }) =>
      redirect === undefined ? [] : [{ from: published(path), to: published(redirect) }],
    )
    .filter(({ from, to }) => ledger.entries.has(from) && ledger.entries.has(to));
}

/**
 * One rule a redirect. Paths are the main site's words: each is escaped for the syntax in which it stands, so that none can end
 * its string, name a variable or match anything else. Targets are percent-encoded and thereby plain in all three.
 */
export function renderRedirects(redirects: readonly Redirect[], server: WebServer): string {
  const { place, rule } = RULES[server];
  const lines = redirects.map(({ from, to }) => `${rule(`/${from}`, `/${percentEncode(to)}`)}\n`);
  return `# Redirects of tie-up pages, made by tieup. ${place}\n${lines.join('')}`;
}

interface Rules {
  /** Where the lines belong, as a sentence. */
  readonly place: string;
  readonly rule: (from: string, to: string) => string;
}

const RULES: Readonly<Record<WebServer, Rules>> = {
  nginx: {
    place: 'Include this file in the server block.',
    // An exact location is compared with the decoded path, and holds no variables.
    rule: (from, to) => `location = ${quoted(from)} { return 301 ${quoted(to)}; }`,
  },
  apache: {
    place: 'Include this file in the virtual host.',
    // `Redirect` would match what begins with the path as well, and could not hold ${…}, which Apache replaces everywhere.
    rule: (from, to) => `RedirectMatch 301 ${quoted(`^${literal(from)}$`)} ${quoted(to)}`,
  },
  caddy: {
    place: 'Import this file in the site block.',
    rule: (from, to) => `redir ${quoted(caddyPath(from))} ${quoted(to)} 301`,
  },
};

/** A string in double quotes as all three read it: a backslash takes the next character as it is. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`;
}

/** A regular expression for exactly this text. */
function literal(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, (character) => `\\${character}`);
}

/** Braces begin placeholders; in a path with percent escapes these are compared as visitors' browsers send them. */
function caddyPath(path: string): string {
  return path.replaceAll(/[%{}]/g, (character) => encodeURIComponent(character));
}
