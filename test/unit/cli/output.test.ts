import { describe, expect, test } from 'vitest';
import { createOutput } from '../../../src/cli/output.ts';
import { TieupError } from '../../../src/errors.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';

const PLAIN = { json: false, quiet: false, colour: true };
const ESCAPE = '\u001b[';

const refusal = new TieupError('TIEUP_E_CONFIG', 'tieup.yaml has 2 problems', {
  hint: 'mend it',
  problems: [
    { file: 'tieup.yaml', line: 3, column: 5, message: 'unknown key `a\u001b`' },
    { message: 'something else' },
  ],
});

describe('what tieup says', () => {
  test('results go to stdout, messages and warnings to stderr', () => {
    const terminal = fakeTerminal();
    const output = createOutput(terminal, PLAIN);
    output.message('working');
    output.warning('careful');
    output.result('preview', { url: 'http://localhost/' }, () => 'http://localhost/\n');
    expect(terminal.out()).toBe('http://localhost/\n');
    expect(terminal.err()).toBe('working\nwarning: careful\n');
  });

  test('--quiet keeps results and warnings', () => {
    const terminal = fakeTerminal();
    const output = createOutput(terminal, { ...PLAIN, quiet: true });
    output.message('working');
    output.warning('careful');
    expect(terminal.err()).toBe('warning: careful\n');
  });

  test('--json is one document with its schema', () => {
    const terminal = fakeTerminal({ person: true });
    const output = createOutput(terminal, { ...PLAIN, json: true });
    output.message('working');
    output.result('preview', { url: 'http://localhost/' }, () => 'never');
    expect(JSON.parse(terminal.out())).toEqual({ schema: 'tieup.preview/v1', url: 'http://localhost/' });
    expect(terminal.err()).toBe('');
  });
});

describe('a failure', () => {
  test('names all problems with their places and says what to do', () => {
    const terminal = fakeTerminal();
    expect(createOutput(terminal, PLAIN).failure(refusal)).toBe(78);
    expect(terminal.out()).toBe('');
    expect(terminal.err()).toBe(
      'error: tieup.yaml has 2 problems\n  tieup.yaml:3:5: unknown key `a\\x1b`\n  something else\nhint: mend it\n',
    );
  });

  test('is a JSON document as well where JSON was asked for', () => {
    const terminal = fakeTerminal();
    createOutput(terminal, { ...PLAIN, json: true }).failure(refusal);
    expect(JSON.parse(terminal.out())).toEqual({
      schema: 'tieup.error/v1',
      code: 'TIEUP_E_CONFIG',
      message: 'tieup.yaml has 2 problems',
      hint: 'mend it',
      problems: refusal.problems,
      exitCode: 78,
    });
    expect(terminal.err()).toContain('error: tieup.yaml has 2 problems');
  });

  test('after a result leaves that the only document', () => {
    const terminal = fakeTerminal();
    const output = createOutput(terminal, { ...PLAIN, json: true });
    output.result('logs-import', { partners: [] }, () => '');
    output.failure(new TieupError('TIEUP_E_SOME_PARTNERS', '1 of 2 partners failed'));
    expect(JSON.parse(terminal.out())).toEqual({ schema: 'tieup.logs-import/v1', partners: [] });
  });

  test('that nobody foresaw is shown without a stack, and with it only on demand', () => {
    const fault = new RangeError('out of range');
    const plain = fakeTerminal();
    expect(createOutput(plain, PLAIN).failure(fault)).toBe(1);
    expect(plain.err()).toContain('error: tieup failed unexpectedly: out of range\n');
    expect(plain.err()).not.toContain('at ');
    const debug = fakeTerminal({ environment: { TIEUP_DEBUG: '1' } });
    createOutput(debug, PLAIN).failure(fault);
    expect(debug.err()).toContain('caused by\nRangeError: out of range\n    at ');
  });

  test('by Ctrl-C is one word and exit code 130', () => {
    const terminal = fakeTerminal();
    expect(createOutput(terminal, PLAIN).failure(new TieupError('TIEUP_E_INTERRUPTED', 'interrupted'))).toBe(130);
    expect(terminal.err()).toBe('interrupted\n');
  });
});

function marked(person: boolean, environment: Record<string, string>, colour = true, json = false): string {
  return createOutput(fakeTerminal({ person, environment }), { ...PLAIN, colour, json }).mark('good', 'live');
}

describe('colour', () => {
  test.each([
    ['on a terminal', marked(true, {}), true],
    ['off a terminal', marked(false, {}), false],
    ['off a terminal, forced', marked(false, { FORCE_COLOR: '1' }), true],
    ['on a terminal, forbidden by its absence', marked(true, { FORCE_COLOR: '0' }), false],
    ['with NO_COLOR', marked(true, { NO_COLOR: '1' }), false],
    ['with an empty NO_COLOR', marked(true, { NO_COLOR: '' }), true],
    ['with NO_COLOR against FORCE_COLOR', marked(true, { NO_COLOR: '1', FORCE_COLOR: '1' }), false],
    ['on a dumb terminal', marked(true, { TERM: 'dumb' }), false],
    ['with --no-color', marked(true, {}, false), false],
    ['with --json', marked(true, {}, true, true), false],
  ])('%s', (_when, text, coloured) => {
    expect(text.includes(ESCAPE)).toBe(coloured);
  });

  test('never carries meaning alone: every mark has a symbol and its word', () => {
    const output = createOutput(fakeTerminal(), PLAIN);
    expect(output.mark('bad', 'rejected')).toBe('✗ rejected');
    expect(output.mark('waiting', 'pending')).toBe('… pending');
  });
});
