/** A folder of log files as a web server and logrotate treat them. */
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

export function logShelf() {
  const folder = mkdtempSync(join(tmpdir(), 'tieup-logs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  let clock = 1_780_000_000;
  const at = (name: string) => join(folder, name);
  /** Every write has a time of its own, as it would after some seconds. */
  const touch = (name: string) => {
    clock += 1;
    utimesSync(at(name), clock, clock);
  };
  return {
    folder,
    at,
    write(name: string, text: string | Uint8Array) {
      appendFileSync(at(name), text);
      touch(name);
    },
    rename: (from: string, to: string) => renameSync(at(from), at(to)),
    remove: (name: string) => rmSync(at(name)),
    /** `cp`, and with a length as far as it has come. */
    copy(from: string, to: string, length?: number) {
      writeFileSync(at(to), readFileSync(at(from)).subarray(0, length));
      touch(to);
    },
    truncate(name: string) {
      truncateSync(at(name));
      touch(name);
    },
    link: (from: string, to: string) => linkSync(at(from), at(to)),
    /** As logrotate does it with `copytruncate`. */
    copyTruncate(name: string, to: string) {
      copyFileSync(at(name), at(to));
      touch(to);
      truncateSync(at(name));
      touch(name);
    },
    /** As gzip does it: the time of the file stays; `gzip -k` keeps the file as well. */
    compress(name: string, { keep = false } = {}) {
      const time = statSync(at(name)).mtime;
      writeFileSync(at(`${name}.gz`), gzipSync(readFileSync(at(name))));
      utimesSync(at(`${name}.gz`), time, time);
      if (!keep) rmSync(at(name));
    },
  };
}
