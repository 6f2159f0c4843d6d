/** The examples of the specifications of CommonMark and of GitHub Flavored Markdown. */
import spec from 'commonmark-spec';
import { z } from 'zod';
import { vectors } from './vectors.ts';

export interface MarkdownExample {
  readonly example: number;
  /** Of an example of GFM's which is one of CommonMark's as well: its number there. */
  readonly commonmark?: number;
  readonly markdown: string;
  readonly html: string;
}

const specSchema = z.object({
  tests: z.array(z.object({ number: z.int(), markdown: z.string(), html: z.string() })).min(1),
});
const gfmSchema = z.union([
  z.strictObject({ example: z.int(), commonmark: z.int() }),
  z.strictObject({ example: z.int(), section: z.string(), markdown: z.string(), html: z.string() }),
]);
const differenceSchema = z.strictObject({ example: z.int(), reason: z.string().min(1), html: z.string() });

/** CommonMark 0.31.2. */
export function commonMarkExamples(): readonly MarkdownExample[] {
  const { tests } = specSchema.parse(spec);
  return tests.map(({ number, markdown, html }) => withTabs({ example: number, markdown, html }));
}

/** GFM 0.29, the enabled ones. */
export function gfmExamples(): readonly MarkdownExample[] {
  const shared = new Map(commonMarkExamples().map((each) => [each.example, each]));
  return vectors('markdown/gfm', gfmSchema).map((each) => {
    if (!('commonmark' in each)) return withTabs(each);
    const same = shared.get(each.commonmark);
    if (same === undefined) throw new Error(`CommonMark has no example ${each.commonmark}`);
    return { ...same, ...each };
  });
}

function withTabs({ example, markdown, html }: MarkdownExample): MarkdownExample {
  return {
    example,
    markdown: markdown.replaceAll('→', '\t'),
    html: html.replaceAll('→', '\t'),
  };
}

export type IntendedDifference = z.infer<typeof differenceSchema>;

/** What comes of examples which are meant to come out otherwise, and why, by number. */
export function intendedDifferences(name: 'commonmark' | 'gfm'): ReadonlyMap<number, IntendedDifference> {
  return new Map(vectors(`markdown/${name}-differences`, differenceSchema).map((each) => [each.example, each]));
}
