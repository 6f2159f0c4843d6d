/**
 * Finds what in a file can do more than be looked at, and judges it by the terms: the manager is told before a script runs
 * on the visitors of this site.
 *
 * A file is looked at as browsers with and without scripts parse it. What is not mentioned in the policy is refused.
 */
import type { Problem } from '../errors.ts';
import type { ContentPolicy } from '../protocol/terms.ts';
import {
  activeContentOf,
  addressOf,
  baseOf,
  type Finding,
  scriptTextFindings,
  styleTextFindings,
} from './active-elements.ts';
import { fileNature } from './file-nature.ts';
import { elementsOf, parseHtml } from './html.ts';
import { isPlainlyHarmless } from './plainly-harmless.ts';

export interface ActiveContent extends Finding {
  /** The file, from the web root. */
  readonly path: string;
  /** 1-based, where known. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** In order of appearance; empty for files that can only be looked at. */
export function findActiveContent(bytes: Uint8Array, path: string): readonly ActiveContent[] {
  const nature = fileNature(path);
  const address = addressOf(path);
  const here = (findings: readonly Finding[]): ActiveContent[] => findings.map((finding) => ({ path, ...finding }));
  if (nature === 'inert') return [];
  if (nature === 'opaque')
    return here([{ kind: 'unreadable', what: 'a compressed file that servers hand out in place of a page' }]);
  const { text, broken } = decode(bytes);
  const unreadable: Finding[] =
    broken && nature !== 'unknown' && nature !== 'script'
      ? [{ kind: 'unreadable', what: 'bytes that are not UTF-8' }]
      : [];
  if (nature === 'script') {
    return here([{ kind: 'script', what: 'a script file' }, ...(broken ? [] : scriptTextFindings(text, address))]);
  }
  if (nature === 'style') return here([...unreadable, ...styleTextFindings(text, address, 'a style sheet')]);
  const xml = nature === 'xml' ? xmlFindings(text) : [];
  const markup = isPlainlyHarmless(text) ? [] : markupFindings(text, path, address);
  return [...here([...unreadable, ...xml]), ...markup];
}

/** Everything that the policy does not allow. */
export function judgeActiveContent(found: readonly ActiveContent[], policy: ContentPolicy): Problem[] {
  return found.flatMap((each): Problem[] => {
    const why = refusal(each, policy);
    if (why === undefined) return [];
    const place = each.line === undefined ? {} : { line: each.line };
    return [
      {
        message: `${each.what}: ${why}`,
        file: each.path,
        ...place,
        ...(each.column === undefined ? {} : { column: each.column }),
      },
    ];
  });
}

function refusal({ kind, origin, integrity }: ActiveContent, policy: ContentPolicy): string | undefined {
  if (kind === 'unreadable') return 'nobody can tell what a browser makes of it';
  if (kind === 'service-worker') return policy.serviceWorkers ? undefined : 'the terms allow no service workers';
  if (kind !== 'script') {
    if (origin !== undefined && policy.remoteOrigins.includes(origin)) return undefined;
    return `the terms do not name ${origin ?? 'its origin'}`;
  }
  if (policy.scripts === 'none') return 'the terms allow no scripts';
  if (origin === undefined) return undefined;
  if (policy.scripts !== 'remote') return 'the terms allow no scripts from other sites';
  return integrity === true ? undefined : 'a script from another site needs subresource integrity';
}

/** Pages in `srcdoc` within pages in `srcdoc`: no honest page has more, and each level is parsed anew. */
const MAX_NESTED = 4;

interface Nesting {
  readonly depth: number;
  /** What was found in a nested page, by its text and base: the same one is met in every way of parsing what is around it. */
  readonly known: Map<string, readonly ActiveContent[]>;
}

function markupFindings(
  text: string,
  path: string,
  address: URL,
  { depth, known }: Nesting = { depth: 0, known: new Map() },
): readonly ActiveContent[] {
  const found = new Map<string, ActiveContent>();
  const nestedFindings = (inner: string, base: URL): readonly ActiveContent[] => {
    if (depth === MAX_NESTED)
      return [{ path, kind: 'unreadable', what: `more than ${MAX_NESTED} pages inside each other in srcdoc` }];
    const key = `${base.href} ${inner}`;
    const findings = known.get(key) ?? markupFindings(inner, path, base, { depth: depth + 1, known });
    known.set(key, findings);
    return findings;
  };
  // `noscript` is markup to one kind of browser and text to the other, and each hides things from the other.
  for (const scripting of /<noscript/i.test(text) ? [true, false] : [true]) {
    const elements = [...elementsOf(parseHtml(text, scripting))];
    const href = elements
      .find(({ name, attributes }) => name === 'base' && attributes.has('href'))
      ?.attributes.get('href');
    const base = href === undefined ? address : baseOf(href, address);
    for (const element of elements) {
      const place = { line: element.line, column: element.column };
      const inner = element.attributes.get('srcdoc');
      const nested = inner === undefined ? [] : nestedFindings(inner, base);
      for (const finding of [...activeContentOf(element, base), ...nested]) {
        const each = { path, ...finding, ...place };
        found.set(JSON.stringify(each), each);
      }
    }
  }
  return [...found.values()];
}

/** XML has ways of its own to bring in what is not written down as an element. */
function xmlFindings(text: string): Finding[] {
  const found: Finding[] = [];
  if (/<!ENTITY/.test(text)) found.push({ kind: 'unreadable', what: 'an XML entity, which can stand for any markup' });
  if (/<\?xml-stylesheet/.test(text)) found.push({ kind: 'script', what: 'an XML style sheet instruction' });
  return found;
}

function decode(bytes: Uint8Array): { readonly text: string; readonly broken: boolean } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), broken: false };
  } catch {
    return { text: new TextDecoder('latin1').decode(bytes), broken: true };
  }
}
