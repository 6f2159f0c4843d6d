/**
 * What the site's own files say of where to log in, read without YAML: in the plain form in which tieup writes it, or not at all.
 *
 * A push with nothing to do goes by what the last one has kept in `.tieup/`, which in CI is a cache that others may write. Whom
 * it connects to, and which keys it uses for that, must not be theirs to say.
 */
import type { MainSiteConfig } from '../config/main-site.ts';
import type { PartnerSftp } from '../config/partnership.ts';

/** A URL or a key, plain or in double quotes; nothing that YAML would read as more than its characters. */
const SCALAR = /^(?:"([^"\\]*)"|([A-Za-z0-9./][^#"'\\]*[A-Za-z0-9=/~._-]))$/;

/** Of `partners/<id>.yaml`; null when it has none, undefined where only a YAML parser can tell. */
export function sftpAsWritten(text: string): PartnerSftp | null | undefined {
  const lines = blockOf(text, 'sftp');
  if (lines === undefined || lines === null) return lines;
  let url: string | undefined;
  let transport: 'ssh' | undefined;
  const hostKeys: string[] = [];
  let isList = false;
  for (const line of lines) {
    const [, dash, name, rest = ''] = /^ +(?:(- )|([A-Za-z]+): ?)(.*)$/.exec(line) ?? [];
    const value = scalar(rest);
    if (dash !== undefined && isList && value !== undefined) hostKeys.push(value);
    else if (name === 'hostKeys' && rest === '' && hostKeys.length === 0) isList = true;
    else if (name === 'url' && url === undefined && value !== undefined) [url, isList] = [value, false];
    else if (name === 'transport' && value === 'ssh') [transport, isList] = [value, false];
    else return undefined;
  }
  if (url === undefined || hostKeys.length === 0) return undefined;
  return { url, hostKeys, ...(transport === undefined ? {} : { transport }) };
}

/** Whether `tieup.yaml` names these folders of partners and keys; false also where only a YAML parser can tell. */
export function areFoldersAsWritten(
  text: string,
  { partners, keys }: Pick<MainSiteConfig['folders'], 'partners' | 'keys'>,
): boolean {
  const lines = blockOf(text, 'folders');
  if (lines === undefined) return false;
  const named = new Map<string, string>();
  for (const line of lines ?? []) {
    const [, name, rest = ''] = /^ +([A-Za-z]+): (.*)$/.exec(line) ?? [];
    const value = scalar(rest);
    if (name === undefined || value === undefined || named.has(name)) return false;
    named.set(name, value);
  }
  return (named.get('partners') ?? 'partners') === partners && (named.get('keys') ?? 'keys') === keys;
}

/** The lines below a key of the document; null when it does not occur, undefined when it is not written as a block. */
function blockOf(text: string, key: string): readonly string[] | null | undefined {
  if (/[\t\r]|^(?:---|\.\.\.|%|["'?{[&!*])/m.test(text)) return undefined;
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(key));
  if (start === -1) return null;
  if (lines[start] !== `${key}:`) return lines[start] === `${key}: null` ? null : undefined;
  if (lines.slice(start + 1).some((line) => line.startsWith(key))) return undefined;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^[^ #]/.test(line));
  return rest.slice(0, end === -1 ? rest.length : end).filter((line) => !/^ *(?:#.*)?$/.test(line));
}

function scalar(text: string): string | undefined {
  const [, quoted, plain] = SCALAR.exec(text) ?? [];
  const value = quoted ?? plain;
  return value === undefined || / $|: /.test(value) ? undefined : value;
}
