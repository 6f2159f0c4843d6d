/** The command line as commander sees it: global options, and the one command that is called. */
import { Command, CommanderError } from '@commander-js/extra-typings';
import { TieupError } from '../errors.ts';
import { CATALOG } from './catalog.ts';
import type { Context } from './command-context.ts';
import type { Globals } from './globals.ts';
import type { Terminal } from './terminal.ts';

const MAX_HELP_WIDTH = 100;

const ABOUT =
  "Publishes signed pages of a main site into the web trees of partner sites, with the partner's signed consent.";

const EXAMPLES = `
Examples:
  $ tieup init --role main     write a starter folder for a main site
  $ tieup help init            options and examples of a command`;

/**
 * Loads the command that is called and runs it; help and version count as commands.
 * @param open makes the context when the command's action asks for it
 * @throws TIEUP_E_USAGE when the command line is not understood, and whatever the command throws
 */
export async function callProgram(
  argv: readonly string[],
  version: string,
  terminal: Terminal,
  open: (globals: Globals) => Context,
): Promise<void> {
  const program = createProgram(version, terminal);
  const context = (): Context => {
    const { json, quiet, color, cwd, site } = program.opts();
    return open({ json: json === true, quiet: quiet === true, colour: color, folder: cwd, site });
  };
  const called = calledCommand(argv);
  for (const { name, summary, group, hidden = false, load } of CATALOG) {
    const command = program.command(name, { hidden }).summary(summary).description(sentence(summary)).helpGroup(group);
    if (name === called) (await load()).define(command, context);
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const known = CATALOG.find(({ name }) => name === called)?.name;
    if (!isDone(error)) throw usageError(error, known);
  }
}

function createProgram(version: string, terminal: Terminal) {
  const { stdout } = terminal;
  return new Command('tieup')
    .description(ABOUT)
    .option('-C, --cwd <folder>', 'work in this folder instead of the current one')
    .option('--site <address>', 'partner site: its folders are on this server, as sftp://user@host/path')
    .option('--json', 'print one JSON document instead of text')
    .option('-q, --quiet', 'print results only')
    .option('--no-color', 'print without colours')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .commandsGroup('Both:')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      // Only the help that stands in for a missing command comes this way; errors are printed by run.ts, once.
      writeErr: (text) => void stdout.write(text),
      outputError: () => {},
      getOutHelpWidth: () => Math.min(stdout.columns ?? MAX_HELP_WIDTH, MAX_HELP_WIDTH),
      getErrHelpWidth: () => Math.min(stdout.columns ?? MAX_HELP_WIDTH, MAX_HELP_WIDTH),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', EXAMPLES)
    .exitOverride();
}

const WITH_VALUE: ReadonlySet<string> = new Set(['-C', '--cwd', '--site']);

/** The name of the command that `argv` calls or asks help for, as far as it can be told without parsing. */
function calledCommand(argv: readonly string[]): string | undefined {
  const words: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (WITH_VALUE.has(word)) index++;
    else if (!word.startsWith('-')) words.push(word);
  }
  return words[0] === 'help' ? words[1] : words[0];
}

function sentence(summary: string): string {
  return `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`;
}

/** Commander throws for `--help`, `--version` and a missing command as well: those are done, not failed. */
function isDone(error: CommanderError): boolean {
  return error.exitCode === 0 || error.code === 'commander.help';
}

/** `error: unknown command 'psh'\n(Did you mean push?)` in the voice of tieup. */
function usageError(error: CommanderError, command: string | undefined): TieupError {
  const [first = '', ...rest] = error.message.split('\n');
  const suggestion = /^\(Did you mean (?<what>.+)\?\)$/.exec(rest.join(' ').trim())?.groups?.['what'];
  return new TieupError('TIEUP_E_USAGE', first.replace(/^error: /, '').replace(/\.$/, ''), {
    hint:
      suggestion === undefined
        ? `run tieup ${command === undefined ? '' : `${command} `}--help`
        : `did you mean ${suggestion}?`,
    cause: error,
  });
}
