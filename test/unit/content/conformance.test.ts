/** CommonMark 0.31.2 and GFM 0.29, through everything that happens to a page's text. */
import { describe, expect, it } from 'vitest';
import { compileCached, type FragmentStore } from '../../../src/content/compile-cached.ts';
import { compileHere } from '../../../src/content/compile-here.ts';
import { compileOnThreads, type CompilingThread } from '../../../src/content/compile-on-threads.ts';
import type { MarkdownSource } from '../../../src/content/markdown.ts';
import { serve } from '../../../src/content/markdown-thread.ts';
import { compilePlainly } from '../../../src/content/unified-engine.ts';
import { meaning } from '../../support/html-meaning.ts';
import {
  commonMarkExamples,
  gfmExamples,
  intendedDifferences,
  type IntendedDifference,
  type MarkdownExample,
} from '../../support/markdown-examples.ts';
import { asWritten, MARKDOWN } from './site-builder.ts';

const source = (text: string): MarkdownSource => ({
  text,
  format: 'md',
  schema: 'page',
  idPrefix: '',
  holes: true,
  language: 'en',
  ...MARKDOWN,
});
const rendered = ({ markdown }: MarkdownExample) => asWritten(compilePlainly(source(markdown)).parts);

/** Anchors of headings; what is wide is within reach of the keyboard; pictures hold nothing up. */
function isAddition(element: string, name: string, value: string): boolean {
  if (name === 'id') return /^h[1-6]$/.test(element);
  if (element === 'img') return `${name}=${value}` === 'decoding=async' || `${name}=${value}` === 'loading=lazy';
  return name === 'tabindex' && value === '0' && (element === 'pre' || element === 'table');
}

// The specification's final line feed would become a text in the elements that a fragment leaves open.
const expected = ({ html }: MarkdownExample) => meaning(html.trimEnd());
const found = (html: string) => meaning(html, isAddition);

/** What is neither as the specification says nor as the list of differences does. */
function unexpected(
  examples: readonly MarkdownExample[],
  differenceOf: (example: MarkdownExample) => IntendedDifference | undefined,
): string[] {
  return examples.flatMap((each) => {
    const html = rendered(each);
    const difference = differenceOf(each);
    const isSame = found(html) === expected(each);
    if (difference === undefined) return isSame ? [] : [`${each.example}: ${each.markdown} became ${html}`];
    if (isSame) return [`${each.example} is as the specification says: take it off the list of differences`];
    return html === difference.html ? [] : [`${each.example}: ${html} instead of ${difference.html}`];
  });
}

const commonMark = commonMarkExamples();
const gfm = gfmExamples();
const ofCommonMark = intendedDifferences('commonmark');
const ofGfm = intendedDifferences('gfm');

describe('Markdown', () => {
  it('means what CommonMark says, but for the differences that are listed with their reasons', () => {
    expect(commonMark).toHaveLength(652);
    expect(unexpected(commonMark, ({ example }) => ofCommonMark.get(example))).toEqual([]);
  });

  it('means what GitHub Flavored Markdown says, but for the differences that are listed with their reasons', () => {
    expect(gfm).toHaveLength(671);
    const differenceOf = ({ example, commonmark }: MarkdownExample) =>
      commonmark === undefined ? ofGfm.get(example) : ofCommonMark.get(commonmark);
    expect(unexpected(gfm, differenceOf)).toEqual([]);
  });

  it('has no difference listed that is none of an example of its own', () => {
    const numbers = (examples: readonly MarkdownExample[]) =>
      new Set(examples.filter(({ commonmark }) => commonmark === undefined).map(({ example }) => example));
    expect([...ofCommonMark.keys()].filter((number) => !numbers(commonMark).has(number))).toEqual([]);
    expect([...ofGfm.keys()].filter((number) => !numbers(gfm).has(number))).toEqual([]);
  });

  it('comes to the same bytes from the cache and from a thread', async () => {
    const sources = [...commonMark, ...gfm].map(({ markdown }) => source(markdown));
    const here = await bytesOf(compileHere.compile(sources));
    const kept = new Map<string, Uint8Array>();
    const store: FragmentStore = {
      get: (key) => kept.get(key),
      put: (key, bytes) => void kept.set(key, bytes),
      flush: () => undefined,
    };
    const cached = compileCached(store, compileHere, '1');
    expect(await bytesOf(cached.compile(sources))).toEqual(here);
    expect(kept.size).toBeGreaterThan(600);
    expect(await bytesOf(compileCached(store, { compile: async () => [] }, '1').compile(sources))).toEqual(here);
    // Too long to be compiled anywhere but on a thread.
    const long = source(`${'word '.repeat(13_000)}\n`);
    const threads = { count: 2, start: async () => thread() };
    const answers = await bytesOf(compileOnThreads(threads).compile([...sources, long]));
    expect(answers.slice(0, -1)).toEqual(here);
  });
});

async function bytesOf(fragments: ReturnType<typeof compileHere.compile>): Promise<string[]> {
  return (await fragments).map(({ parts }) => asWritten(parts));
}

/** A thread as far as its messages are concerned. */
function thread(): CompilingThread {
  const answer = serve();
  return {
    async ask({ message }) {
      const { message: given, transfer } = await answer(structuredClone(message));
      return structuredClone(given, { transfer: [...transfer] });
    },
    stop: async () => undefined,
  };
}
