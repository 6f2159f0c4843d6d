/** The shape of a command's module; catalog.ts names them all. */
import type { Command } from '@commander-js/extra-typings';
import type { Context } from './command-context.ts';

/**
 * What a file of commands/ exports: declares arguments, options, examples and the action on `command`, which has its
 * name and summary already.
 * @param context for the action alone: it depends on options that are known only then
 */
export type Define = (command: Command, context: () => Context) => void;
