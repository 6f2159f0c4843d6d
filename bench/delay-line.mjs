// A line with a delay in each direction between this machine and itself, as a process of its own: so that it does not share a
// thread with what is measured. `node delay-line.mjs <port of the server> <milliseconds one way>` prints the port it listens on.
import { connect, createServer } from 'node:net';

const [target = '', oneWay = ''] = process.argv.slice(2);

/**
 * @param {import('node:net').Socket} from
 * @param {import('node:net').Socket} to
 */
function carry(from, to) {
  from.setNoDelay(true);
  from.on('data', (bytes) => void setTimeout(() => to.writable && to.write(bytes), Number(oneWay)));
  from.on('end', () => void setTimeout(() => to.end(), Number(oneWay)));
  from.on('error', () => to.destroy());
  from.on('close', () => void setTimeout(() => to.destroy(), Number(oneWay)));
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = connect({ host: '127.0.0.1', port: Number(target), allowHalfOpen: true });
  carry(near, far);
  carry(far, near);
});
server.listen(0, '127.0.0.1', 1024, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? (address?.port ?? '') : ''}\n`);
});
