/**
 * A process that publishes, or goes back to publication 1, and is killed at the n-th system call that changes something:
 * `kill -9`, no exit handler, nothing flushed. Arguments: folder, overwrite|link, publish|rollback, step. Without a kill it
 * prints how many steps there were.
 */
import { argv, kill, pid, stdout } from 'node:process';
import { rollbackTo } from '../../src/publish/rollback.ts';
import { CRASH_NEW, goLive, layoutOf, makeRelease, NOW, portsIn } from './site-fixture.ts';

const [, , folder = '', how = '', what = '', step = '0'] = argv;
const last = Number(step);
let steps = 0;
let armed = false;
const ports = portsIn(folder, 'separate', {
  beforeStep: () => {
    if (!armed) return;
    steps += 1;
    if (steps === last) kill(pid, 'SIGKILL');
  },
});
const layout = layoutOf(how === 'link' ? 'link' : 'overwrite');
const release = await makeRelease(ports.state, 2, CRASH_NEW);
armed = true;
if (what === 'rollback') await rollbackTo(ports, layout, 1, { decisionDigest: null, now: NOW });
else await goLive(ports, layout, release);
stdout.write(`${steps}\n`);
