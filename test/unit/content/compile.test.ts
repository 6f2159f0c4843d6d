import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCached, fragmentKey, type FragmentStore } from '../../../src/content/compile-cached.ts';
import { compileHere } from '../../../src/content/compile-here.ts';
import { compileOnThreads, type CompilingThread } from '../../../src/content/compile-on-threads.ts';
import { decodeParts, encodeParts } from '../../../src/content/fragment-code.ts';
import { serve } from '../../../src/content/markdown-thread.ts';
import type { FragmentHole, FragmentPart, MarkdownFragment } from '../../../src/content/fragment.ts';
import type { MarkdownCompiler, MarkdownSource } from '../../../src/content/markdown.ts';
import { TieupError } from '../../../src/errors.ts';

const source = (text: string, more: Partial<MarkdownSource> = {}): MarkdownSource => {
  const options = { language: 'en', highlight: false, headingLinks: false };
  return { text, format: 'md', schema: 'page', idPrefix: '', holes: true, ...options, ...more };
};
const TEXT = '# {{ page.title }}\n\n[a](b.md#c) ![d](e.png)\n\n<slot name="x">\n\nf\n\n</slot>\n';

/** Constants as text, joined: how they are cut is nobody's business. */
function plain(parts: readonly FragmentPart[]): unknown[] {
  const joined: unknown[] = [];
  for (const part of parts) {
    const text =
      typeof part === 'string'
        ? part
        : part instanceof Uint8Array
          ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(part)
          : part;
    const last = joined.at(-1);
    if (typeof text === 'string' && typeof last === 'string') joined[joined.length - 1] = last + text;
    else if (text !== '') joined.push(text);
  }
  return joined;
}

function memoryStore(): FragmentStore & { readonly kept: Map<string, Uint8Array> } {
  const kept = new Map<string, Uint8Array>();
  return { kept, get: (key) => kept.get(key), put: (key, bytes) => void kept.set(key, bytes), flush: () => undefined };
}

/** What has been compiled, text by text. */
function counting(): MarkdownCompiler & { readonly texts: string[] } {
  const texts: string[] = [];
  return {
    texts,
    compile: async (sources) => {
      texts.push(...sources.map(({ text }) => text));
      return compileHere.compile(sources);
    },
  };
}

const compileOne = async (compiler: MarkdownCompiler, text: MarkdownSource): Promise<MarkdownFragment> => {
  const [fragment] = await compiler.compile([text]);
  if (fragment === undefined) throw new Error('nothing was compiled');
  return fragment;
};

describe('a compiled text', () => {
  const at = fc.record({ line: fc.nat(), column: fc.nat() });
  const text = fc.string({ unit: 'binary' }).map((each) => each.toWellFormed());
  const hole: fc.Arbitrary<FragmentHole> = fc.oneof(
    fc.record({
      kind: fc.constant('variable' as const),
      name: text,
      context: fc.constantFrom('text' as const, 'address-path' as const),
      at,
    }),
    fc.record({ kind: fc.constant('slot-start' as const), name: text, at }),
    fc.record({ kind: fc.constant('slot-end' as const), name: text }),
    fc.record({
      kind: fc.constant('reference' as const),
      address: text,
      use: fc.constantFrom('link' as const, 'source' as const),
      at,
    }),
  );
  const parts = fc.array(fc.oneof(text, hole), { maxLength: 8 });

  it('is kept as bytes, and read back the same', () => {
    fc.assert(
      fc.property(parts, (each) => {
        expect(plain(decodeParts(encodeParts(each)) ?? [])).toEqual(plain(each));
      }),
    );
  });

  it('is not read from bytes that are none', () => {
    fc.assert(
      fc.property(parts, fc.uint8Array({ maxLength: 40 }), fc.nat(), (each, noise, cut) => {
        const encoded = encodeParts(each);
        expect(decodeParts(encoded.subarray(0, cut % encoded.length))).toBeUndefined();
        expect(decodeParts(Buffer.concat([encoded, noise, Buffer.of(1)]))).toBeUndefined();
        expect(() => decodeParts(noise)).not.toThrow();
      }),
    );
    const head = (value: unknown) => {
      const json = Buffer.from(JSON.stringify(value));
      return Buffer.concat([Buffer.of(0, 0, 0, json.length), json]);
    };
    for (const wrong of [
      {},
      [-1],
      [0.5],
      [['x', 'y']],
      [['variable', 'a', 'script', 1, 1]],
      [['slot-end']],
      [['link', 'a', 1]],
      [null],
    ]) {
      expect(decodeParts(head(wrong))).toBeUndefined();
    }
  });
});

describe('compiled texts that are kept', () => {
  it('are not compiled again, and are the same', async () => {
    const [store, engine] = [memoryStore(), counting()];
    const cached = compileCached(store, engine, '1');
    const first = await compileOne(cached, source(TEXT));
    const second = await compileOne(compileCached(store, engine, '1'), source(TEXT));
    expect(engine.texts).toEqual([TEXT]);
    expect(plain(second.parts)).toEqual(plain(first.parts));
    expect(second.problems).toEqual([]);
  });

  it('are compiled once when they are there twice', async () => {
    const engine = counting();
    const fragments = await compileCached(memoryStore(), engine, '1').compile([source('a'), source('b'), source('a')]);
    expect(engine.texts).toEqual(['a', 'b']);
    expect(fragments.map(({ parts }) => plain(parts))).toEqual([['<p>a</p>'], ['<p>b</p>'], ['<p>a</p>']]);
  });

  it('are compiled again when anything they depend on is another', () => {
    const keys = [
      fragmentKey(source(TEXT), '1'),
      fragmentKey(source(TEXT), '2'),
      fragmentKey(source(`${TEXT} `), '1'),
      fragmentKey(source(TEXT, { format: 'html' }), '1'),
      fragmentKey(source(TEXT, { schema: 'slot' }), '1'),
      fragmentKey(source(TEXT, { idPrefix: 'x-' }), '1'),
      fragmentKey(source(TEXT, { holes: false }), '1'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('are compiled again when what was kept cannot be read', async () => {
    const [store, engine] = [memoryStore(), counting()];
    await compileOne(compileCached(store, engine, '1'), source(TEXT));
    for (const key of store.kept.keys()) store.kept.set(key, Buffer.from('nonsense'));
    await compileOne(compileCached(store, engine, '1'), source(TEXT));
    expect(engine.texts).toEqual([TEXT, TEXT]);
  });

  it('are not those with problems, which are said each time', async () => {
    const store = memoryStore();
    const broken = source('<slot name="x">');
    const problems = async () => (await compileOne(compileCached(store, compileHere, '1'), broken)).problems.length;
    expect([await problems(), await problems(), store.kept.size]).toEqual([2, 2, 0]);
  });
});

describe('texts compiled on threads', () => {
  const LONG = `${'word '.repeat(13_000)}\n`;

  const textOf = (message: unknown): unknown =>
    typeof message === 'object' && message !== null && 'text' in message ? message.text : undefined;

  /** A thread without a thread. */
  function threads(answer: (text: unknown) => 'fragment' | 'too long' | 'too large' = () => 'fragment') {
    const log = { started: 0, stopped: 0 };
    const start = async (): Promise<CompilingThread> => {
      log.started++;
      const reply = serve();
      return {
        async ask({ message }) {
          const how = answer(textOf(message));
          if (how === 'fragment') return (await reply(message)).message;
          throw new TieupError(how === 'too long' ? 'TIEUP_E_TIMEOUT' : 'TIEUP_E_TOO_LARGE', 'ended');
        },
        async stop() {
          log.stopped++;
        },
      };
    };
    return { count: 2, start, log };
  }

  it('are few and short ones compiled here', async () => {
    const { log, ...some } = threads();
    await compileOnThreads(some).compile([source('a'), source('b')]);
    expect(log.started).toBe(0);
  });

  it('come back in their order, the same as here', async () => {
    const { log, ...some } = threads();
    const sources = [source('a'), source(LONG), source(TEXT), source('<slot name="x">')];
    const fragments = await compileOnThreads(some).compile(sources);
    const here = await compileHere.compile(sources);
    expect(fragments.map(({ parts }) => plain(parts))).toEqual(here.map(({ parts }) => plain(parts)));
    expect(fragments.map(({ problems }) => problems)).toEqual(here.map(({ problems }) => problems));
    expect(log).toEqual({ started: 2, stopped: 2 });
  });

  it.each(['too long', 'too large'] as const)(
    'are reported when they take %s, and the others are compiled',
    async (how) => {
      const { log, ...some } = threads((text) => (text === LONG ? how : 'fragment'));
      const [first, hostile, last] = await compileOnThreads(some).compile([source('a'), source(LONG), source('b')]);
      expect(hostile?.problems.map(({ message }) => message).join()).toContain('takes too long to read');
      expect([first, last].map((each) => plain(each?.parts ?? []))).toEqual([['<p>a</p>'], ['<p>b</p>']]);
      expect(log.started).toBeLessThanOrEqual(3);
    },
  );

  it('are a short text that is nested beyond measure as well', async () => {
    const { log, ...some } = threads();
    await compileOnThreads(some).compile([source(`${'>'.repeat(300)} a`)]);
    expect(log.started).toBe(1);
  });
});
