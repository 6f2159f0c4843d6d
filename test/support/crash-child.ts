/**
 * A process that publishes and is killed at the n-th system call that changes something: `kill -9`, no exit handler, nothing
 * flushed. Arguments: folder, overwrite|link, step. Without a kill it prints how many steps there were.
 */
import { argv, kill, pid, stdout } from 'node:process';
import { CRASH_NEW, goLive, layoutOf, makeRelease, portsIn } from './site-fixture.ts';

const [, , folder = '', how = '', step = '0'] = argv;
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
const release = await makeRelease(ports.state, 2, CRASH_NEW);
armed = true;
await goLive(ports, layoutOf(how === 'link' ? 'link' : 'overwrite'), release);
stdout.write(`${steps}\n`);
