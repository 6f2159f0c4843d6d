import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { noPrompt, terminalPrompt } from '../../../src/io/prompt.ts';

/** A person who types `keys` as soon as a question is drawn. */
function person(keys: string): { stdin: PassThrough; stderr: PassThrough; drawn(): string } {
  const [stdin, stderr] = [new PassThrough(), new PassThrough()];
  let drawn = '';
  let typed = false;
  stderr.setEncoding('utf8').on('data', (text: string) => {
    drawn += text;
    if (!typed) {
      typed = true;
      setImmediate(() => stdin.write(keys));
    }
  });
  return { stdin, stderr, drawn: () => drawn };
}

describe('a person at a terminal', () => {
  test('types a text', async () => {
    const terminal = person('Northwind\r');
    expect(await terminalPrompt(terminal).text('Name of your site')).toBe('Northwind');
    expect(terminal.drawn()).toContain('Name of your site');
  });

  test('takes what is suggested by pressing Enter', async () => {
    expect(await terminalPrompt(person('\r')).text('Name', { initial: 'Harbour' })).toBe('Harbour');
  });

  test('types a password, which is not drawn', async () => {
    const terminal = person('geheim\r');
    expect(await terminalPrompt(terminal).password('Password')).toBe('geheim');
    expect(terminal.drawn()).not.toContain('geheim');
  });

  test('says yes, or no by pressing Enter', async () => {
    expect(await terminalPrompt(person('y')).confirm('Publish?')).toBe(true);
    expect(await terminalPrompt(person('\r')).confirm('Publish?')).toBe(false);
    expect(await terminalPrompt(person('\r')).confirm('Publish?', { fallback: true })).toBe(true);
  });

  test('chooses', async () => {
    const choices = [
      { value: 'main', label: 'a main site' },
      { value: 'partner', label: 'a partner site', hint: 'takes pages' },
    ];
    expect(await terminalPrompt(person('\u001b[B\r')).choose('Whose site is it?', choices)).toBe('partner');
  });

  test('who presses Ctrl-C ends it with exit code 130', async () => {
    const questions = [
      terminalPrompt(person('\u0003')).text('Name'),
      terminalPrompt(person('\u0003')).confirm('Publish?'),
      terminalPrompt(person('\u0003')).password('Password'),
      terminalPrompt(person('\u0003')).choose('Which?', [{ value: 'a', label: 'a' }]),
    ];
    for (const question of questions) {
      await expect(question).rejects.toMatchObject({ code: 'TIEUP_E_INTERRUPTED', exitCode: 130 });
    }
  });
});

describe('nobody at a terminal', () => {
  test('ends each question with exit code 64 and the flag that answers it', async () => {
    expect(noPrompt.interactive).toBe(false);
    const questions = [
      noPrompt.text('Name', { flag: '--name' }),
      noPrompt.confirm('Publish?', { flag: '--name' }),
      noPrompt.password('Password', { flag: '--name' }),
      noPrompt.choose('Which?', [], { flag: '--name' }),
    ];
    for (const question of questions) {
      await expect(question).rejects.toMatchObject({
        code: 'TIEUP_E_USAGE',
        exitCode: 64,
        hint: 'answer it with --name',
      });
    }
    await expect(noPrompt.text('Name')).rejects.toMatchObject({ hint: 'run it in a terminal' });
  });
});
