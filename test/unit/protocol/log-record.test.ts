import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  gapRecord,
  type LogRecord,
  ownPathOf,
  ownPathRecord,
  parseRecord,
  renderRecord,
  switchOf,
  switchRecord,
  treeOf,
  unparsedRecord,
} from '../../../src/protocol/log-record.ts';
import { FIELD, FIELD_STRIDE, MAX_RECORD, scanCount, scanRecord, viewOf } from '../../../src/protocol/log-scan.ts';
import {
  BYTE_KINDS,
  readText,
  sequenceLength,
  spellText,
  textFault,
  writeText,
} from '../../../src/protocol/log-text.ts';
import { hit } from '../../support/exported-log.ts';

const parsed = (line: string | Uint8Array): LogRecord => parseRecord(Buffer.from(line));
const refusal = (code: string, why: string) => expect.objectContaining({ code, message: expect.stringContaining(why) });
const LINE = renderRecord(hit(7));
const fields = LINE.split('\t');

/** The line with one field changed. */
const changed = (name: keyof typeof FIELD, value: string | Uint8Array): Buffer => {
  const { index } = FIELD[name];
  const before = fields.slice(0, index).map((field) => `${field}\t`);
  const after = fields.slice(index + 1).map((field) => `\t${field}`);
  return Buffer.concat([Buffer.from(before.join('')), Buffer.from(value), Buffer.from(after.join(''))]);
};

/** The text as it is spelt again after reading; undefined when it is refused. */
function respelt(text: string): string | undefined {
  try {
    return spellText(readText(text), 100).text;
  } catch {
    return undefined;
  }
}

/** Likewise a line. */
function rewritten(line: string | Uint8Array): string | undefined {
  try {
    return renderRecord(parsed(line));
  } catch {
    return undefined;
  }
}

describe('the text of a field', () => {
  test.each([
    ['', '-'],
    ['-', '\\x2d'],
    ['--', '--'],
    ['a-b', 'a-b'],
    ['a\tb\nc\rd\\e', 'a\\tb\\nc\\rd\\\\e'],
    ['\u0000\u001b[31m\u007f', '\\x00\\x1B[31m\\x7F'],
    ['\u0085', '\\xC2\\x85'],
    ['\u00a0é漢😀', '\u00a0é漢😀'],
    ['\udcff\udcc3', '\\xFF\\xC3'],
    ['"\\xC3"', '"\\\\xC3"'],
  ])('spells %j as %j', (value, text) => {
    expect(spellText(value, 100)).toEqual({ text, cut: false });
    expect(readText(text)).toBe(value);
  });

  test.each([
    ['', 'is empty'],
    ['a\tb', 'a control character'],
    ['\u0007', 'a control character'],
    ['\u0085', 'not UTF-8'],
    ['\\', 'an escape that does not exist'],
    ['a\\', 'an escape that does not exist'],
    ['\\q', 'an escape that does not exist'],
    ['\\xff', 'an escape that does not exist'],
    ['\\xF', 'an escape that does not exist'],
    ['\\x41', 'an escape that is not needed'],
    ['\\x09', 'an escape that is not needed'],
    ['\\x5C', 'an escape that is not needed'],
    ['\\x2D', 'an escape that is not needed'],
    ['a\\x2d', 'an escape that does not exist'],
    ['\\xC3\\xA9', 'an escape that is not needed'],
  ])('refuses the spelling %j', (text, why) => {
    expect(() => readText(text)).toThrow(refusal('TIEUP_E_VERIFY', why));
  });

  test.each([
    ['c3', 0],
    ['c0af', 0],
    ['e08080', 0],
    ['eda080', 0],
    ['f0808080', 0],
    ['f4908080', 0],
    ['f5808080', 0],
    ['80', 0],
    ['c285', 0],
    ['e28280', 3],
    ['e282', 0],
    ['e2c280', 0],
    ['f09f9880', 4],
    ['f09f98', 0],
    ['41', 1],
  ])('finds in %s a sequence of %i bytes', (hex, length) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(sequenceLength(bytes, 0, bytes.length)).toBe(length);
  });

  test('has one spelling for all bytes there are, and gives them back', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (value) => {
        const target = Buffer.alloc(400);
        const end = writeText(target, 0, value, 0, value.length, 400);
        const text = target.toString('utf8', 0, end);
        expect(textFault(target, 0, end)).toBeUndefined();
        expect(Buffer.byteLength(text)).toBe(end);
        expect(spellText(readText(text), 400).text).toBe(text);
      }),
    );
  });

  test('that is accepted is spelt in no other way', () => {
    const piece = fc.constantFrom(
      '-',
      '\\',
      'x',
      't',
      'C',
      '2',
      '8',
      '5',
      '9',
      '\\xC2',
      '\\x85',
      '\\x2d',
      'é',
      '\\\\',
      'd',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const text = pieces.join('');
        const bytes = Buffer.from(text);
        const isTaken = textFault(bytes, 0, bytes.length) === undefined;
        expect(respelt(text)).toBe(isTaken ? text : undefined);
      }),
      { numRuns: 2000 },
    );
  });

  test('is cut before the character that does not fit', () => {
    expect(spellText('abcdef', 4)).toEqual({ text: 'abcd', cut: true });
    expect(spellText('abcd', 4)).toEqual({ text: 'abcd', cut: false });
    expect(spellText('abcé', 4)).toEqual({ text: 'abc', cut: true });
    expect(spellText('ab\u0001', 5)).toEqual({ text: 'ab', cut: true });
    expect(spellText('abc\t', 4)).toEqual({ text: 'abc', cut: true });
    expect(spellText('\u0001'.repeat(3), 9)).toEqual({ text: '\\x01\\x01', cut: true });
  });

  test('needs a closer look at a byte exactly when the table says so', () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const target = Buffer.alloc(8);
      const end = writeText(target, 0, Uint8Array.of(byte, byte), 0, 2, 8);
      const isPlain = end === 2 && target[0] === byte;
      expect(BYTE_KINDS[byte] === 0).toBe(isPlain);
    }
  });
});

describe('a record', () => {
  // A lone surrogate that stands for no byte has no spelling.
  const any = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.toWellFormed());
  const count = fc.option(fc.nat(), { nil: null });
  const records = fc
    .record({
      seq: fc.integer({ min: 1 }),
      host: any,
      page: any,
      method: fc.string({ maxLength: 8 }),
      path: any,
      query: any,
      protocol: fc.string({ maxLength: 8 }),
      status: fc.option(fc.integer({ min: 0, max: 999 }), { nil: null }),
      bytes: count,
      referrer: any,
      agent: any,
      user: any,
      duration: count,
      bot: fc.constantFrom('', 'bots/crawler'),
      signals: fc.constantFrom([], ['web/sqli'], ['web/sqli', 'web/xss.2']),
    })
    .map((values) => hit(values.seq, values));

  test('comes back from its line as it was', () => {
    fc.assert(
      fc.property(records, (record) => {
        const line = renderRecord(record);
        const back = parsed(line);
        expect(renderRecord(back)).toBe(line);
        expect(back).toEqual(record);
      }),
    );
  });

  test('has 20 fields with tabs between', () => {
    expect(LINE).toBe(
      '7\t2026-11-23T22:00:00Z\t+0500\tharbour.example\tT\twith-main/story.html\tGET\t/with-main/story.html\t-\tHTTP/1.1\t' +
        '200\t5120\thttps://search.example\tMozilla/5.0\t203.0.113.0\tf00dcafe\t-\t1200\t-\t-',
    );
    expect(Object.values(FIELD).map(({ index }) => index)).toEqual(fields.map((_, index) => index));
  });

  test('says that a value was cut, and is never longer than a record may be', () => {
    const long = '\u0001'.repeat(4000);
    const line = renderRecord(
      hit(1, { host: long, path: long, query: long, referrer: long, agent: long, user: long, signals: ['web/sqli'] }),
    );
    expect(parsed(line).signals).toEqual(['web/sqli', 'cut']);
    expect(Buffer.byteLength(line)).toBeLessThan(MAX_RECORD / 2);
    expect(parsed(renderRecord(unparsedRecord(1, 'x'.repeat(5000)))).path).toHaveLength(1024);
  });

  test.each<[keyof typeof FIELD, string, string]>([
    ['seq', '-', 'its seq is not a number'],
    ['seq', '0', 'lines are numbered from 1 on'],
    ['seq', '007', 'its seq is not a number'],
    ['seq', '9007199254740992', 'its seq is not a number'],
    ['seq', '99999999999999999', 'its seq is longer than 16 bytes'],
    ['time', '-', 'a hit needs its time'],
    ['time', '2026-02-29T22:00:00Z', 'its time is not'],
    ['time', '2026-11-23T24:00:00Z', 'its time is not'],
    ['time', '2026-11-23T22:00:60Z', 'its time is not'],
    ['time', '2026-11-23T22:00:00.1Z', 'its time is not'],
    ['time', '2026-11-23 22:00:00Z', 'its time is not'],
    ['time', '2026-11-23T22:00:00+00:00', 'its time is longer'],
    ['zone', '+05:00', 'its zone is longer'],
    ['zone', '0500', 'its zone is not'],
    ['zone', '+0560', 'its zone is not'],
    ['class', 'U', 'its class is not'],
    ['class', '-', 'its class is not'],
    ['class', 'O', 'a hit of class O has a tie-up page'],
    ['class', 'X', 'its class does not have the field time'],
    ['class', 'S', 'its class does not have the field zone'],
    ['status', '20', 'its status is not three digits'],
    ['status', '2000', 'its status is longer'],
    ['bytes', '-1', 'its bytes are not a number'],
    ['bytes', '1e3', 'its bytes are not a number'],
    ['duration', '01', 'its duration is not a number'],
    ['bot', 'Crawler', 'its bot is not the id of a rule'],
    ['signals', 'web/sqli,', 'its signals are not ids'],
    ['signals', ',web/sqli', 'its signals are not ids'],
    ['agent', 'a\\x41', 'its agent has an escape that is not needed'],
    ['agent', '', 'its agent is empty'],
    ['agent', 'a\u001bb', 'its agent has a control character'],
    ['agent', 'a\tb', 'it has more than 20 fields'],
    ['path', 'x'.repeat(2049), 'its path is longer than 2048 bytes'],
    ['signals', '-\r', 'CRLF'],
    ['signals', '-\n', 'more than one line'],
  ])('with the %s %j is refused', (name, value, why) => {
    expect(() => parsed(changed(name, value))).toThrow(refusal('TIEUP_E_VERIFY', why));
  });

  test('with bytes that are not UTF-8 is refused', () => {
    expect(() => parsed(changed('agent', Uint8Array.of(0x61, 0xff)))).toThrow('its agent has bytes that are not UTF-8');
  });

  test.each(['2024-02-29T22:00:00Z', '2000-02-29T00:00:00.123Z', '2026-12-31T23:59:59Z'])(
    'takes the time %s',
    (time) => {
      expect(parsed(changed('time', time)).time).toBe(time);
    },
  );

  test('with a field too few, or of no length, is refused', () => {
    expect(() => parsed(fields.slice(1).join('\t'))).toThrow('it has 19 fields, not 20');
    expect(() => parsed('')).toThrow('it has 1 fields, not 20');
    expect(() => parsed('x'.repeat(MAX_RECORD + 1))).toThrow(`it is longer than ${MAX_RECORD} bytes`);
  });

  test('that cannot be written is not written', () => {
    for (const values of [{ seq: -1 }, { seq: 1.5 }, { time: 'now' }, { bytes: Number.NaN }, { signals: ['A'] }]) {
      expect(() => renderRecord(hit(1, values))).toThrow(refusal('TIEUP_E_FAILED', 'make no record'));
    }
  });

  test('cut off at any byte is refused, or is another record', () => {
    for (let end = 0; end < LINE.length; end += 1) {
      const start = LINE.slice(0, end);
      const isRecord = start.split('\t').length === 20 && !start.endsWith('\t');
      expect(rewritten(start)).toBe(isRecord ? start : undefined);
    }
  });

  test('never makes the scan throw or read on, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const offsets = new Int32Array(FIELD_STRIDE);
        const fault = scanRecord(bytes, viewOf(bytes), 0, bytes.length, offsets, 0);
        expect(fault).not.toBe('');
        expect(rewritten(bytes)).toBe(fault === undefined ? Buffer.from(bytes).toString() : undefined);
      }),
    );
  });

  test('has numbers that are read where they lie', () => {
    const numbers = Buffer.from('12x9007199254740991');
    expect(scanCount(numbers, 0, 2)).toBe(12);
    expect(scanCount(numbers, 0, 3)).toBe(-1);
    expect(scanCount(numbers, 3, numbers.length)).toBe(Number.MAX_SAFE_INTEGER);
    expect(scanCount(numbers, 2, 2)).toBe(-1);
  });
});

describe('records that are no hits', () => {
  const live = { time: '2026-11-23T22:00:00Z', publication: 8, release: 6, releaseDigest: 'b'.repeat(64) };

  test('a live switch says which release is live from here on', () => {
    const record = parsed(renderRecord(switchRecord(0, live)));
    expect(switchOf(record)).toEqual(live);
    expect(treeOf(record.class)).toBe('T');
    expect(switchOf(parsed(renderRecord(switchRecord(3, { ...live, releaseDigest: null }))))?.releaseDigest).toBeNull();
  });

  test('a request that looks like a switch is none', () => {
    const forged = parsed(
      renderRecord(hit(1, { method: 'LIVE', path: live.releaseDigest, query: 'publication=8&release=6' })),
    );
    expect(switchOf(forged)).toBeUndefined();
  });

  test('a switch of another form is refused', () => {
    const line = renderRecord(switchRecord(0, live));
    for (const [from, to, why] of [
      ['LIVE', 'GET', 'the method of a switch is LIVE or OWN'],
      ['b'.repeat(64), 'B'.repeat(64), 'the path of a switch'],
      ['publication=8', 'publication=08', 'the query of a switch'],
      ['&release=6', '', 'the query of a switch'],
      [live.time, '-', 'a switch needs its time'],
    ] as const) {
      expect(() => parsed(line.replace(from, to))).toThrow(refusal('TIEUP_E_VERIFY', why));
    }
  });

  test('what follows it says which paths are the partner’s own, and nothing else', () => {
    const line = renderRecord(ownPathRecord(3, live.time, 'with-main/a b.html'));
    const record = parsed(line);
    expect(ownPathOf(record)).toBe('with-main/a b.html');
    expect(switchOf(record)).toBeUndefined();
    expect(treeOf(record.class)).toBe('T');
    expect(ownPathOf(parsed(renderRecord(switchRecord(0, live))))).toBeUndefined();
    expect(ownPathOf(parsed(renderRecord(hit(1, { method: 'OWN', path: 'with-main/a.html' }))))).toBeUndefined();
    for (const [from, to] of [
      ['with-main/a b.html', '-'],
      ['with-main/a b.html\t-', 'with-main/a b.html\tpublication=8&release=6'],
    ] as const) {
      expect(() => parsed(line.replace(from, to))).toThrow(refusal('TIEUP_E_VERIFY', 'has a path and no query'));
    }
  });

  test('a gap names the source and why', () => {
    const record = parsed(renderRecord(gapRecord(9, '', 'access.log', 'rotated away')));
    expect(record).toMatchObject({ class: 'G', seq: 9, path: 'access.log', query: 'rotated away' });
    expect(() => parsed(renderRecord(gapRecord(9, '', 'a', 'b')).replace('GAP', 'GET'))).toThrow(
      'the method of a gap is GAP',
    );
  });

  test('a line that cannot be parsed is kept as it was, in tree O', () => {
    const record = parsed(renderRecord(unparsedRecord(4, '\u0016\u0003\u0001\udcff garbage "')));
    expect(record).toMatchObject({ class: 'X', seq: 4, path: '\u0016\u0003\u0001\udcff garbage "', time: '' });
    expect(treeOf('X')).toBe('O');
    const line = renderRecord(unparsedRecord(4, 'x'.repeat(1024)));
    expect(() => parsed(line.replace('xx', 'xxx'))).toThrow('its raw line is longer than 1024 bytes');
  });
});
