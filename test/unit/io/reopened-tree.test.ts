import { expect, it } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { reopenedTree } from '../../../src/io/reopened-tree.ts';

function opening() {
  const tree = memoryTree('there');
  const state = { opened: 0, isOpen: true, refuses: false };
  const reopened = reopenedTree('there', async () => {
    if (state.refuses) throw new TieupError('TIEUP_E_CONNECTION', 'nothing listens there');
    state.opened += 1;
    state.isOpen = true;
    return { tree, isOpen: () => state.isOpen };
  });
  return { state, reopened };
}

it('is opened when it is used, once', async () => {
  const { state, reopened } = opening();
  expect(state.opened).toBe(0);
  await reopened.write('a', Buffer.from('a'));
  expect(Buffer.from(await reopened.read('a', 9)).toString()).toBe('a');
  await Promise.all([reopened.list(''), reopened.stat('a')]);
  expect(state.opened).toBe(1);
});

it('is opened anew once by all who find that the connection broke', async () => {
  const { state, reopened } = opening();
  await reopened.write('a', Buffer.from('a'));
  state.isOpen = false;
  const [list, stat] = await Promise.all([reopened.list(''), reopened.stat('a')]);
  expect([list.length, stat?.kind]).toEqual([1, 'file']);
  expect(state.opened).toBe(2);
});

it('is tried again after an attempt that failed', async () => {
  const { state, reopened } = opening();
  state.refuses = true;
  await expect(reopened.list('')).rejects.toMatchObject({ code: 'TIEUP_E_CONNECTION' });
  state.refuses = false;
  expect(await reopened.list('')).toEqual([]);
});

it('is never opened to be closed', async () => {
  const { state, reopened } = opening();
  await reopened.close();
  expect(state.opened).toBe(0);
});
