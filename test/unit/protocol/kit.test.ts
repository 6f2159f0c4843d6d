import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTieupError } from '../../../src/errors.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { describeKit, type KitFile, MAX_KIT_FILES, openKit, renderKit } from '../../../src/protocol/kit.ts';

const text = (content: string): Uint8Array => Uint8Array.from(Buffer.from(content));
const FILES: readonly KitFile[] = [
  { path: 'guidance.md', bytes: text('Write short.\n') },
  { path: 'pages/sample.html', bytes: text('<!doctype html>\n') },
  { path: 'tokens.css', bytes: text('') },
];

const line = (path: string, content: string): string => `${sha256(content)} ${content.length} ${path}\n`;

/** What refuses a kit that its invitation names correctly: the main site made it, and is hostile or broken. */
function refusal(kit: string | Uint8Array) {
  const bytes = typeof kit === 'string' ? text(kit) : kit;
  try {
    openKit(bytes, describeKit(bytes));
  } catch (error) {
    if (isTieupError(error))
      return { code: error.code, said: [error.message, ...error.problems.map((p) => p.message)] };
    throw error;
  }
  throw new Error('it was opened');
}

describe('a kit', () => {
  test('gives back every file, sorted by path', () => {
    const kit = renderKit(FILES.toReversed());
    expect(openKit(kit, describeKit(kit))).toEqual(FILES);
  });

  test('can be read with head and tail', () => {
    const kit = Buffer.from(renderKit(FILES)).toString();
    expect(kit).toBe(
      `tieup-kit/1 3\n${line('guidance.md', 'Write short.\n')}${line('pages/sample.html', '<!doctype html>\n')}${line('tokens.css', '')}\nWrite short.\n<!doctype html>\n`,
    );
  });

  test('carries any bytes under any path that may be published', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9 _-]{0,10}[a-z0-9]$/);
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `kit-${parts.join('/')}.txt`);
    const file = fc.record({ path, bytes: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: (each) => each.path, maxLength: 20 }), (files) => {
        const kit = renderKit(files);
        const opened = openKit(kit, describeKit(kit));
        expect(new Map(opened.map((each) => [each.path, each.bytes]))).toEqual(
          new Map(files.map((each) => [each.path, each.bytes])),
        );
      }),
    );
  });

  test('is refused when a single byte differs from what the invitation names, or one is missing or too much', () => {
    const kit = renderKit(FILES);
    const named = describeKit(kit);
    const altered = [...kit.keys()].map((index) => kit.map((byte, at) => (at === index ? byte ^ 1 : byte)));
    for (const bytes of [...altered, kit.subarray(0, -1), Buffer.concat([kit, Buffer.of(0)]), new Uint8Array()]) {
      expect(() => openKit(bytes, named)).toThrow('the kit is not the one that the invitation names');
    }
  });

  test.each([
    ['another type', 'tieup-kit/2 0\n\n', 'does not start with "tieup-kit/1"'],
    ['no end of its head', `tieup-kit/1 1\n${line('a.txt', 'a')}`, 'its head has no end'],
    ['a missing line', `tieup-kit/1 2\n${line('a.txt', 'a')}\na`, 'it claims 2 files and lists 1'],
    ['an extra line', `tieup-kit/1 0\n${line('a.txt', 'a')}\na`, 'it claims 0 files and lists 1'],
    ['a line that is none', 'tieup-kit/1 1\nhello\n\n', 'line 2 is not a digest'],
    ['upper-case hex', `tieup-kit/1 1\n${line('a.txt', 'a').toUpperCase()}\na`, 'line 2 is not a digest'],
    ['a file with other bytes', `tieup-kit/1 1\n${line('a.txt', 'a')}\nb`, '"a.txt" is not what its line says'],
    ['a file cut short', `tieup-kit/1 1\n${line('a.txt', 'abc')}\nab`, '"a.txt" is not what its line says'],
    ['bytes after its last file', `tieup-kit/1 1\n${line('a.txt', 'a')}\naevil`, '4 bytes follow its last file'],
    ['files out of order', `tieup-kit/1 2\n${line('b', 'b')}${line('a', 'a')}\nba`, '"a" is out of order'],
    ['a file twice', `tieup-kit/1 2\n${line('a', 'a')}${line('a', 'b')}\nab`, '"a" is out of order or there twice'],
    ['a head that is no UTF-8', Buffer.from('tieup-kit/1 0\xff\n\n', 'latin1'), 'its head is not UTF-8'],
  ])('is refused with %s', (_what, kit, expected) => {
    const { code, said } = refusal(kit);
    expect(code).toBe('TIEUP_E_VERIFY');
    expect(said[0]).toContain(expected);
  });

  test.each([
    ['../evil.html', 'leaves its folder'],
    ['/etc/cron.d/evil', 'is absolute'],
    ['a\\b.html', 'contains a backslash'],
    ['.htaccess', 'starts with a dot'],
    ['pages/.git/config', 'starts with a dot'],
    ['shell.php', 'web servers execute'],
    ['aux.css', 'reserves for a device'],
    ['robots.txt', 'controls a web server'],
    ['e\u0301.html', 'normal form'],
  ])('can neither be made nor opened with the path %j', (path, fault) => {
    expect(refusal(`tieup-kit/1 1\n${line(path, 'x')}\nx`)).toMatchObject({
      code: 'TIEUP_E_UNSAFE_PATH',
      said: [expect.anything(), expect.stringContaining(fault)],
    });
    const error = catching(() => renderKit([{ path, bytes: text('x') }]));
    expect(isTieupError(error, 'TIEUP_E_CONTENT') && error.problems[0]?.message).toContain(fault);
  });

  test('cannot hold two paths that some disks cannot tell apart, nor a file where a folder must be', () => {
    for (const paths of [
      ['Logo.svg', 'logo.svg'],
      ['pages', 'pages/a.html'],
    ]) {
      const [first = '', second = ''] = paths;
      expect(refusal(`tieup-kit/1 2\n${line(first, 'x')}${line(second, 'y')}\nxy`).code).toBe('TIEUP_E_UNSAFE_PATH');
    }
  });

  test('has a limit for files and bytes', () => {
    const many = Array.from({ length: MAX_KIT_FILES + 1 }, (_, index) => ({ path: `f${index}`, bytes: text('') }));
    expect(() => renderKit(many)).toThrow(`the kit has ${MAX_KIT_FILES + 1} files`);
    expect(() => renderKit([{ path: 'big.bin', bytes: new Uint8Array(33 * 1024 * 1024) }])).toThrow('1 files and');
    const head = many.map(({ path }) => line(path, '')).toSorted();
    expect(refusal(`tieup-kit/1 ${head.length}\n${head.join('')}\n`).code).toBe('TIEUP_E_VERIFY');
  });
});

function catching(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
