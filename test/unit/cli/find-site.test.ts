import { describe, expect, test } from 'vitest';
import { findConfig } from '../../../src/cli/find-config.ts';
import { mainSiteOf, partnerSiteOf } from '../../../src/cli/find-site.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';

const MAIN = 'role: main\nsite: { name: Northwind, url: https://northwind.example/ }\n';

/** Trees by folder; every other folder is empty. */
function openIn(files: Readonly<Record<string, string>>): (folder: string) => FileTree {
  return (folder) => {
    const tree = memoryTree(folder);
    const text = files[folder];
    if (text === undefined) return tree;
    const written = tree.write('tieup.yaml', Buffer.from(text));
    return { ...tree, read: async (path, maxLength) => written.then(() => tree.read(path, maxLength)) };
  };
}

describe('the site that a command works for', () => {
  test('is the one of the working folder or the nearest one above', async () => {
    const open = openIn({ '/srv': 'role: partner\n', '/srv/site': MAIN });
    expect(await findConfig('/srv/site/pages/deep', open)).toEqual({ folder: '/srv/site', text: MAIN });
    expect((await findConfig('/srv/other', open)).folder).toBe('/srv');
  });

  test('must be there', async () => {
    await expect(findConfig('/srv/site', openIn({}))).rejects.toMatchObject({
      code: 'TIEUP_E_CONFIG',
      message: 'there is no tieup.yaml in "/srv/site" or above it',
    });
  });

  test('must be of the side that the command is for', () => {
    expect(mainSiteOf({ folder: '/srv', text: MAIN }).site.name).toBe('Northwind');
    expect(() => partnerSiteOf({ folder: '/srv', text: MAIN })).toThrow(
      /^this command is for a partner site, but "\/srv"/,
    );
    expect(() => mainSiteOf({ folder: '/srv', text: 'role: partner\n' })).toThrow(/^this command is for a main site/);
  });

  test('must say which side it is', () => {
    expect(() => mainSiteOf({ folder: '/srv', text: 'role: mian\n' })).toThrow(
      expect.objectContaining({
        code: 'TIEUP_E_CONFIG',
        problems: [
          expect.objectContaining({ message: expect.stringContaining('did you mean main?'), line: 1, column: 7 }),
        ],
      }),
    );
  });
});
