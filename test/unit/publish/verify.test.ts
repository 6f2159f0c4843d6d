import { describe, expect, it } from 'vitest';
import { verifyLive } from '../../../src/publish/verify.ts';
import { encode, fill, goLive, layoutOf, makeRelease, memoryPorts } from '../../support/site-fixture.ts';

describe.each(['link', 'overwrite'] as const)('verifying a site published by %s', (how) => {
  const layout = layoutOf(how);
  const base = how === 'link' ? 'published/1' : 'public';

  async function site() {
    const ports = memoryPorts('separate');
    await fill(ports.original ?? ports.web, { 'index.html': 'home', 'a.html': 'a' });
    const release = await makeRelease(ports.state, 1, {
      'with-main/a.html': 'aa',
      'with-main/b.html': 'bb',
      'with-main/c/d.html': 'dd',
    });
    await goLive(ports, layout, release);
    return ports;
  }

  it('finds nothing when nothing was touched, nor before anything was published', async () => {
    expect(await verifyLive(memoryPorts('separate'), layout)).toEqual([]);
    expect(await verifyLive(await site(), layout)).toEqual([]);
  });

  it('finds every difference: changed, missing, extra and of another kind', async () => {
    const ports = await site();
    const { web } = ports;
    await web.write(`${base}/with-main/a.html`, encode('a!'));
    await web.write(`${base}/index.html`, encode('longer than home'));
    await web.remove(`${base}/with-main/b.html`);
    await web.replaceLink(`${base}/with-main/b.html`, 'a.html');
    await web.remove(`${base}/a.html`);
    await web.write(`${base}/with-main/c/evil.html`, encode('x'));
    await web.replaceLink(`${base}/with-main/c/link`, '/etc/passwd');
    await web.write(`${base}/elsewhere.html`, encode("the partner's own"));
    expect(await verifyLive(ports, layout)).toEqual([
      { kind: 'missing', path: 'a.html' },
      { kind: 'changed', path: 'index.html' },
      { kind: 'changed', path: 'with-main/a.html' },
      { kind: 'wrong-kind', path: 'with-main/b.html', found: 'link' },
      { kind: 'extra', path: 'with-main/c/evil.html' },
      { kind: 'extra', path: 'with-main/c/link' },
    ]);
  });

  it('refuses to judge by a damaged ledger', async () => {
    const ports = await site();
    await ports.state.write('published/1.ledger', encode('tieup-ledger/1 -'));
    await expect(verifyLive(ports, layout)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
  });
});
