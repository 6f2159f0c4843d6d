/** One run of tieup: from the words of the command line to the exit code. The one catch of the command line. */
import { createContext } from './context.ts';
import type { Context } from './command-context.ts';
import { createOutput } from './output.ts';
import { packageVersion } from './package-files.ts';
import { callProgram } from './program.ts';
import { endOf, isStrayFault, type Terminal } from './terminal.ts';

export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { interruption } = terminal;
  // What the command line seems to ask for, until it is understood.
  let output = createOutput(terminal, {
    json: argv.includes('--json'),
    quiet: false,
    colour: !argv.includes('--no-color'),
  });
  let context: Context | undefined;
  try {
    await callProgram(argv, await packageVersion(), terminal, (globals) => {
      if (context !== undefined) return context;
      output = createOutput(terminal, globals);
      context = createContext(terminal, globals, output);
      return context;
    });
    if (isStrayFault(interruption.reason)) return output.failure(endOf(interruption));
    return context?.exitCode() ?? 0;
  } catch (error) {
    return output.failure(interruption.aborted ? endOf(interruption, error) : error);
  } finally {
    await context?.close();
  }
}
