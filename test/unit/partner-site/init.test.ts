import { parse } from 'parse5';
import { describe, expect, test } from 'vitest';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { initPartnerSite, planPartnerSite } from '../../../src/partner-site/init.ts';

describe('a new partner site', () => {
  test('has a few pages of its own and a place for slots', async () => {
    const tree = memoryTree();
    expect(await initPartnerSite(tree, { name: 'Harbour Books' })).toEqual([
      '.gitignore',
      'original/index.html',
      'original/style.css',
      'original/visit.html',
      'slots/README.md',
    ]);
    const page = new TextDecoder().decode(await tree.read('original/visit.html', 10_000));
    expect(page).toContain('<title>Visit – Harbour Books</title>');
  });

  test('shows a name as text, whatever is in it', () => {
    const errors: string[] = [];
    for (const { path, content } of planPartnerSite({ name: '<script>alert(1)</script> & "Söhne"' })) {
      if (!path.endsWith('.html')) continue;
      const html = new TextDecoder().decode(content);
      expect(html).not.toContain('<script');
      parse(html, { onParseError: ({ code }) => errors.push(code) });
    }
    expect(errors).toEqual([]);
  });

  test.each(['', '  ', 'a\nb', 'x'.repeat(201)])('is refused with the name %j', async (name) => {
    const tree = memoryTree();
    await expect(initPartnerSite(tree, { name })).rejects.toMatchObject({ code: 'TIEUP_E_USAGE' });
    expect(await tree.list('')).toEqual([]);
  });

  test('is refused over existing files, and nothing changes', async () => {
    const tree = memoryTree();
    await tree.write('original/style.css', Buffer.from('mine'));
    await expect(initPartnerSite(tree, { name: 'Harbour Books' })).rejects.toMatchObject({
      code: 'TIEUP_E_EXISTS',
      problems: [{ file: 'original/style.css', message: 'exists already' }],
    });
    expect(await tree.stat('slots')).toBeUndefined();
  });
});
