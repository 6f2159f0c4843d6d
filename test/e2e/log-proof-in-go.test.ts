/**
 * Checkpoints, proofs and cosignatures of logs, judged by Go's checksum database (golang.org/x/mod/sumdb) and its own Ed25519: programs
 * that know nothing of tieup.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cosign } from '../../src/protocol/cosignature.ts';
import { proveRecord } from '../../src/protocol/log-part.ts';
import { consistencyRanges, hashRanges } from '../../src/protocol/merkle-proof.ts';
import { noteSigner } from '../../src/protocol/note.ts';
import { renderProof } from '../../src/protocol/tlog-proof.ts';
import { renderVkey } from '../../src/protocol/vkey.ts';
import { headOf, hits, inChunks, leavesOf, logKey, logSigner, noteOf, partOf } from '../support/exported-log.ts';
import { realPart } from '../support/real-parts.ts';

const SUMDB = '/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog';
const PROGRAM = `package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	switch os.Args[1] {
	case "proof":
		proof(os.Args[2], os.Args[3])
	case "grown":
		grown(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	case "cosigned":
		cosigned(os.Args[2], os.Args[3])
	}
}

// proof KEY FILE prints the record of a tlog-proof after checking that it is in the log.
func proof(keyFile, file string) {
	head, message, _ := bytes.Cut(read(file), []byte("\\n\\n"))
	lines := strings.Split(string(head), "\\n")
	data := decode(strings.TrimPrefix(lines[1], "extra "))
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err)
	tree := open(keyFile, message)
	check(tlog.CheckRecord(hashes(lines[3:]), tree.N, tree.Hash, index, tlog.RecordHash(data)))
	fmt.Printf("record %d of %d: %s\\n", index, tree.N, data[16:])
}

// grown KEY OLD NEW PROOF checks that the log of NEW starts with the log of OLD.
func grown(keyFile, before, after, file string) {
	old, now := open(keyFile, read(before)), open(keyFile, read(after))
	check(tlog.CheckTree(tlog.TreeProof(hashes(strings.Fields(string(read(file))))), now.N, now.Hash, old.N, old.Hash))
	fmt.Printf("%d records, and %d before them\\n", now.N-old.N, old.N)
}

// cosigned KEY FILE checks the cosignature on the last line of FILE.
func cosigned(keyFile, file string) {
	text, signatures, _ := strings.Cut(string(read(file)), "\\n\\n")
	lines := strings.Split(strings.TrimSpace(signatures), "\\n")
	fields := strings.Fields(lines[len(lines)-1])
	signature := decode(fields[2])
	seconds := binary.BigEndian.Uint64(signature[4:12])
	message := fmt.Sprintf("cosignature/v1\\ntime %d\\n%s\\n", seconds, text)
	key := decode(strings.SplitN(strings.TrimSpace(string(read(keyFile))), "+", 3)[2])
	fmt.Println(ed25519.Verify(key[1:], []byte(message), signature[12:]), fields[1], seconds)
}

// open gives the tree of a checkpoint that KEY has signed.
func open(keyFile string, message []byte) tlog.Tree {
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(keyFile))))
	check(err)
	opened, err := note.Open(message, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	hash, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: hash}
}

func hashes(lines []string) (list []tlog.Hash) {
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		check(err)
		list = append(list, hash)
	}
	return list
}

func decode(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	check(err)
	return data
}

func read(name string) []byte {
	data, err := os.ReadFile(name)
	check(err)
	return data
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
`;

const run = promisify(execFile);
const go = existsSync(SUMDB) ? realPart('go') : undefined;
const records = hits(37);
const main = noteSigner('docs.example/document', new Uint8Array(32).fill(5));

describe.skipIf(go === undefined)('Go, which does not know tieup', () => {
  let folder = '';
  const judged = async (...words: readonly string[]): Promise<string> =>
    (await run(join(folder, 'judge'), [...words], { cwd: folder })).stdout;
  const refused = async (...words: readonly string[]): Promise<string> =>
    run(join(folder, 'judge'), [...words], { cwd: folder }).then(
      ({ stdout }) => `taken: ${stdout}`,
      (error: unknown) => String(Object(error).stdout),
    );
  const write = async (name: string, bytes: Uint8Array | string) => writeFile(join(folder, name), bytes);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tieup-go-'));
    await write('judge.go', PROGRAM);
    await run(go ?? 'go', ['build', '-o', 'judge', 'judge.go'], {
      cwd: folder,
      env: { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOCACHE: join(folder, 'cache') },
    });
    await write('log.vkey', renderVkey(logSigner.name, logSigner.publicKey));
    await write('document.vkey', renderVkey(main.name, main.publicKey));
  }, 120_000);

  afterAll(async () => rm(folder, { recursive: true, force: true }));

  test('finds every record of an exported log in it', async () => {
    const part = partOf(records, { discloses: (index) => index % 3 === 0 });
    for (const index of [0, 3, 18, 36]) {
      const proof = await proveRecord(inChunks(part), { keys: [logKey] }, index);
      await write('line.tlog-proof', renderProof(proof));
      const record = Buffer.from(proof.record).toString();
      expect(await judged('proof', 'log.vkey', 'line.tlog-proof')).toBe(`record ${index} of 37: ${record}\n`);
    }
  });

  test('refuses a record, a size and a key that are not those of the log', async () => {
    const proof = await proveRecord(inChunks(partOf(records)), { keys: [logKey] }, 3);
    const [first = 0] = proof.record;
    await write('line.tlog-proof', renderProof({ ...proof, record: Uint8Array.from(proof.record).with(0, first ^ 1) }));
    expect(await refused('proof', 'log.vkey', 'line.tlog-proof')).toContain('invalid transparency proof');
    await write('line.tlog-proof', Buffer.from(renderProof(proof)).toString().replace('\n37\n', '\n38\n'));
    expect(await refused('proof', 'log.vkey', 'line.tlog-proof')).toContain('invalid signature for key harbour/log');
    await write('line.tlog-proof', renderProof(proof));
    expect(await refused('proof', 'document.vkey', 'line.tlog-proof')).toContain('no verifiable signatures');
  });

  test('sees that a log only grew', async () => {
    await write('old', noteOf(records.slice(0, 20)));
    await write('new', noteOf(records));
    const proof = await hashRanges(consistencyRanges(20, headOf(records).size), leavesOf(records));
    await write('consistency', proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join(''));
    expect(await judged('grown', 'log.vkey', 'old', 'new', 'consistency')).toBe('17 records, and 20 before them\n');
    await write('other', noteOf(hits(21).slice(1)));
    expect(await refused('grown', 'log.vkey', 'other', 'new', 'consistency')).toContain('invalid transparency proof');
  });

  test('takes the cosignature of the main site, and the signature of the log beside it', async () => {
    await write('T.cosigned', cosign(noteOf(records), main, '2026-11-23T22:00:00Z'));
    expect(await judged('cosigned', 'document.vkey', 'T.cosigned')).toBe(`true ${main.name} 1795471200\n`);
    expect(await judged('cosigned', 'log.vkey', 'T.cosigned')).toContain('false');
    await write('consistency', '');
    expect(await judged('grown', 'log.vkey', 'T.cosigned', 'T.cosigned', 'consistency')).toBe(
      '0 records, and 37 before them\n',
    );
  });
});
