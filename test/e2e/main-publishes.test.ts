/** `publisher: main` over a real sshd: message, affirmation, update, and no byte of the live tree before the decision. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestIn } from '../support/cli-partnership.ts';
import { filesBelow } from '../support/joined-sites.ts';
import { laptopSites } from '../support/laptop.ts';
import { realPart } from '../support/real-parts.ts';

const OWN = { 'www/index.html': 'mine\n' };

describe.skipIf(realPart('sshd') === undefined)('a main site that publishes itself', () => {
  test('changes the live pages after the decision, and waits for it', { timeout: 120_000 }, async () => {
    const sites = await laptopSites({
      joining: ['--publish', 'overwrite', '--original', 'in-place', '--public', 'www'],
      partnership: '\npublisher: main\nsite: { public: ../www }\n',
      files: OWN,
    });
    if (sites === undefined) throw new Error('there is no sshd');
    try {
      const { main, laptop, server } = sites;
      const live = () => filesBelow(join(server, 'www'));
      const before = live();
      await main.done(['push']);
      await main.done(['push']);
      const shown = await laptop.done(['status']);
      expect(live()).toEqual(before);

      const waiting = main.run(['push', '--wait', '100s']);
      expect(await laptop.done(['accept', '--yes', digestIn(shown)])).toContain('the main site publishes it');
      const waited = await waiting;
      expect(waited.exitCode).toBe(0);
      const after = live();
      expect(after).toMatchObject(before);
      expect(Object.keys(after).length).toBeGreaterThan(Object.keys(before).length);

      // The partner sees that it is what was decided; only then the main site says that it is live.
      expect(await main.done(['status'])).not.toMatch(/✓ .*live/);
      await laptop.done(['status']);
      await laptop.done(['verify']);
      expect(await main.done(['status'])).toMatch(/live/);
      await main.done(['push']);
      expect(live()).toEqual(after);
    } finally {
      await sites.dispose();
    }
  });
});
