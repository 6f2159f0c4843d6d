/** `push --watch` over many rounds: what goes wrong in one is told, once, and ends nothing. */
import { expect, test } from 'vitest';
import { createContext } from '../../../src/cli/context.ts';
import type { Context } from '../../../src/cli/command-context.ts';
import { createOutput } from '../../../src/cli/output.ts';
import { watchPushes } from '../../../src/cli/push-watch.ts';
import { TieupError } from '../../../src/errors.ts';
import type { PushedDue } from '../../../src/main-site/push-due.ts';
import type { Pushed } from '../../../src/main-site/push-all.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';
import { mainFixture } from '../../support/partnership-fixture.ts';

const NOTHING: Pushed = { results: [], answers: new Map(), heldBack: [], passedOver: [], warnings: [] };
const failed = (partner: string): Pushed['results'][number] => {
  return { kind: 'failed', partner, error: new TieupError('TIEUP_E_CONNECTION', 'the server is gone') };
};
const broken = () =>
  new TieupError('TIEUP_E_CONTENT', 'a page is wrong', {
    problems: [{ message: 'its front matter does not end', file: 'pages/index.md', line: 1 }],
  });

/** Runs these rounds, then Ctrl-C; `edit` comes after the first. */
async function watched(
  rounds: readonly (() => Pushed)[],
  edit?: (main: Awaited<ReturnType<typeof mainFixture>>) => Promise<void>,
) {
  const main = await mainFixture();
  const stop = new AbortController();
  const terminal = fakeTerminal({ interruption: stop.signal });
  const globals = { json: false, quiet: false, colour: false, folder: undefined, site: undefined };
  let done = 0;
  let opened = 0;
  const context: Context = {
    ...createContext(terminal, globals, createOutput(terminal, globals)),
    siteFiles: async () => main.site.files,
    mainSite: async () => {
      opened += 1;
      return main.site;
    },
    clock: {
      ...main.clock,
      sleep: async () => {
        if (done === 1) await edit?.(main);
        if (done < rounds.length) return;
        stop.abort();
        throw new Error('interrupted');
      },
    },
  };
  const round = async (): Promise<PushedDue> => {
    const make = rounds[done++];
    return { pushed: make?.() ?? NOTHING, next: undefined };
  };
  await expect(watchPushes(context, round, 'tieup push --retry-failed')).rejects.toThrow('interrupted');
  return { err: terminal.err(), out: terminal.out(), rounds: done, opened };
}

const fail = (): never => {
  throw broken();
};

test('a page that is half saved is told once, with its place, until it is whole again', async () => {
  const { err, rounds } = await watched([fail, fail, () => NOTHING, fail]);
  expect(rounds).toBe(4);
  expect(err.match(/a page is wrong/g)).toHaveLength(2);
  expect(err).toContain('pages/index.md:1: its front matter does not end');
});

test('a partner that fails alone is named, and the next round comes', async () => {
  const { err, rounds } = await watched([() => ({ ...NOTHING, results: [failed('alpha')] }), () => NOTHING]);
  expect(rounds).toBe(2);
  expect(err).toContain('alpha: the server is gone');
});

test('the settings are read again when they have changed, and not otherwise', async () => {
  expect((await watched([() => NOTHING, () => NOTHING, () => NOTHING])).opened).toBe(1);
  const edit = (main: Awaited<ReturnType<typeof mainFixture>>) => main.write('tieup.yaml', 'role: main\n');
  expect((await watched([() => NOTHING, () => NOTHING, () => NOTHING], edit)).opened).toBe(2);
});
