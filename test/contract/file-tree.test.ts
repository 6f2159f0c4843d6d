/** Every adapter keeps the promises of the file tree port. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderTree } from '../../src/io/folder-tree.ts';
import { memoryTree } from '../../src/io/memory-tree.ts';
import { sftpTree } from '../../src/io/sftp-tree.ts';
import { afterAll, beforeAll, describe } from 'vitest';
import { realPart } from '../support/real-parts.ts';
import { startSshd, type Sshd } from '../support/sshd.ts';
import { embeddedSftp } from '../support/embedded-sftp.ts';
import { describeFileTree } from './file-tree.contract.ts';

describeFileTree('a tree in memory', { hardLinks: true }, async () => ({
  tree: memoryTree(),
  dispose: async () => {},
}));

describeFileTree('a local folder', { hardLinks: true }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'tieup-'));
  return {
    tree: folderTree(root),
    makeSpecial: (path) => void execFileSync('mkfifo', [join(root, path)]),
    dispose: async () => rmSync(root, { recursive: true }),
  };
});

describeFileTree('a local folder that does not exist yet', { hardLinks: true }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'tieup-'));
  return {
    tree: folderTree(join(root, 'not', 'yet')),
    dispose: async () => rmSync(root, { recursive: true }),
  };
});

describeFileTree('an SFTP server that cannot replace in one step', { hardLinks: false }, async () => {
  const sftp = await embeddedSftp();
  return {
    tree: sftpTree(await sftp.connect(), '/'),
    makeSpecial: (path) => void execFileSync('mkfifo', [join(sftp.root, path)]),
    dispose: sftp.dispose,
  };
});

describeFileTree(
  'an SFTP server that takes the arguments of SYMLINK the other way round',
  { hardLinks: false },
  async () => {
    const sftp = await embeddedSftp({ faults: { reverseSymlink: true } });
    return { tree: sftpTree(await sftp.connect(), '/site/tree'), dispose: sftp.dispose };
  },
);

describeFileTree('an SFTP server that makes no exclusive files', { hardLinks: false }, async () => {
  const sftp = await embeddedSftp({ faults: { refuseExclusive: true } });
  return { tree: sftpTree(await sftp.connect(), '/'), dispose: sftp.dispose };
});

const sshdPath = realPart('sshd');

describe.skipIf(sshdPath === undefined)('with OpenSSH', () => {
  let sshd: Sshd;
  let tree = 0;
  beforeAll(async () => {
    sshd = await startSshd(sshdPath ?? '');
  });
  afterAll(() => sshd.dispose());

  describeFileTree('OpenSSH', { hardLinks: true }, async () => {
    tree += 1;
    const folder = `tree-${tree}`;
    return {
      tree: sftpTree(await sshd.connect(), `~/${folder}`),
      makeSpecial: (path) => {
        mkdirSync(join(sshd.folder, folder));
        execFileSync('mkfifo', [join(sshd.folder, folder, path)]);
      },
      dispose: async () => {},
    };
  });
});
