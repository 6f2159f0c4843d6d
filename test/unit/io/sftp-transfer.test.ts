import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { IN_FLIGHT, InFlight } from '../../../src/io/in-flight.ts';
import { upload } from '../../../src/io/sftp-transfer.ts';

/** A session that acknowledges each write later, and knows how much was under way at the same time. */
function session(fails: (handle: string) => boolean = () => false) {
  const written = new Map<string, number>();
  let underWay = 0;
  let most = 0;
  const inFlight = new InFlight();
  const write = async (handle: Buffer, bytes: Uint8Array): Promise<void> => {
    underWay += bytes.length;
    most = Math.max(most, underWay);
    await setImmediate();
    underWay -= bytes.length;
    const file = handle.toString();
    if (fails(file)) throw new Error('no room');
    written.set(file, (written.get(file) ?? 0) + bytes.length);
  };
  return { used: { write, inFlight }, written, most: () => most };
}

const CONTENT = Buffer.alloc(2 * IN_FLIGHT);

describe('writing several files over one connection', () => {
  test('keeps what is under way within the bound of the connection, not of each file', async () => {
    const { used, written, most } = session();
    const files = ['a', 'b', 'c', 'd'];
    await Promise.all(files.map((name) => upload(used, Buffer.from(name), CONTENT, { large: true })));
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(files.map((name) => [name, CONTENT.length])));
    expect(most()).toBeGreaterThan(IN_FLIGHT / 2);
    expect(most()).toBeLessThanOrEqual(IN_FLIGHT);
  });

  test('gives back what a file took that could not be written', async () => {
    const { used, written } = session((file) => file === 'bad');
    const bad = upload(used, Buffer.from('bad'), CONTENT, { large: true });
    await expect(bad).rejects.toThrow('no room');
    await upload(used, Buffer.from('good'), CONTENT, { large: false });
    expect(written.get('good')).toBe(CONTENT.length);
  });
});
