/** The obligations of src/io/file-tree.ts as tests, run against every adapter by file-tree.test.ts. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileTree } from '../../src/io/file-tree.ts';
import { read, refused, text } from './tree-assertions.ts';
import { describeFiles } from './tree-files.contract.ts';
import { describeFolders } from './tree-folders.contract.ts';
import { describeLinks } from './tree-links.contract.ts';
import { describePaths } from './tree-paths.contract.ts';

export interface TreeUnderTest {
  readonly tree: FileTree;
  /** Makes a name that is neither file, folder nor link: a FIFO. */
  readonly makeSpecial?: (path: string) => void;
  readonly dispose: () => Promise<void>;
}

export interface TreeTraits {
  /** false: hardLink is TIEUP_E_STORAGE. */
  readonly hardLinks: boolean;
}

export function describeFileTree(name: string, traits: TreeTraits, makeTree: () => Promise<TreeUnderTest>): void {
  describe(`${name} keeps the promises of the port`, () => {
    let made: TreeUnderTest;
    let tree: FileTree;

    beforeEach(async () => {
      made = await makeTree();
      ({ tree } = made);
    });
    afterEach(async () => {
      await tree.close();
      await made.dispose();
    });

    const current = (): TreeUnderTest => made;
    describeFiles(current);
    describeFolders(current, traits);
    describeLinks(current, traits);
    describePaths(current);

    test('any series of writes, moves and removals leaves what a simple map would hold', async () => {
      const path = fc.constantFrom('a', 'b', 'c', 'd/a', 'd/b', 'd/e/a');
      const step = fc.oneof(
        fc.record({ kind: fc.constant('write' as const), path, content: fc.string({ maxLength: 30 }) }),
        fc.record({ kind: fc.constant('rename' as const), path, to: path }),
        fc.record({ kind: fc.constant('remove' as const), path }),
      );
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          round += 1;
          const base = `round-${round}`;
          await tree.makeFolder(`${base}/d/e`);
          const model = new Map<string, string>();
          for (const action of steps) {
            const content = model.get(action.path);
            if (action.kind === 'write') {
              await tree.write(`${base}/${action.path}`, text(action.content), { durable: false });
              model.set(action.path, action.content);
            } else if (action.kind === 'remove') {
              await tree.remove(`${base}/${action.path}`);
              model.delete(action.path);
            } else if (content === undefined) {
              await refused(tree.rename(`${base}/${action.path}`, `${base}/${action.to}`), 'TIEUP_E_NOT_FOUND');
            } else {
              await tree.rename(`${base}/${action.path}`, `${base}/${action.to}`);
              model.delete(action.path);
              model.set(action.to, content);
            }
          }
          const left: Record<string, string> = {};
          for (const candidate of ['a', 'b', 'c', 'd/a', 'd/b', 'd/e/a']) {
            const there = await tree.stat(`${base}/${candidate}`);
            if (there !== undefined) left[candidate] = await read(tree, `${base}/${candidate}`);
          }
          expect(left).toEqual(Object.fromEntries(model));
        }),
        { numRuns: 12, seed: 20261123 },
      );
    });
  });
}
