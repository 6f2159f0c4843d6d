#!/usr/bin/env node
// The start. Old syntax on purpose: a Node that is too old must get as far as the sentence that says so.
// This is the one file that touches `process`; src/cli/run.ts gets what it needs handed in.
'use strict';

const NEEDED = [20, 19];
const FAILED = 1;
const INTERRUPTED = 130;
const TERMINATED = 143;
// Time for the command to let go of its locks after the first signal; the second one ends at once.
const GRACE_MS = 3000;

function tooOld(version) {
  const parts = version.split('.').map(Number);
  return parts[0] < NEEDED[0] || (parts[0] === NEEDED[0] && parts[1] < NEEDED[1]);
}

function start() {
  const argv = process.argv.slice(2);
  if (tooOld(process.versions.node)) {
    console.error('error: tieup needs Node.js ' + NEEDED.join('.') + ' or newer, this is ' + process.versions.node);
    console.error('hint: install a newer one from https://nodejs.org/');
    process.exitCode = 1;
    return;
  }
  process.stdout.on('error', quietWhenClosed);
  process.stderr.on('error', quietWhenClosed);
  // Nothing else is loaded for this one: scripts ask for it often.
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(require('../package.json').version + '\n');
    return;
  }
  const interruption = new AbortController();
  function end(reason, exitCode) {
    interruption.abort(reason);
    setTimeout(function giveUp() {
      process.exit(exitCode);
    }, GRACE_MS).unref();
  }
  function endBySignal(signal, exitCode) {
    process.on(signal, function onSignal() {
      if (interruption.signal.aborted) process.exit(exitCode);
      end(signal, exitCode);
    });
  }
  endBySignal('SIGINT', INTERRUPTED);
  endBySignal('SIGTERM', TERMINATED);
  // A fault of tieup that nothing waits for: what it was at is over, and its locks are let go of all the same.
  process.on('unhandledRejection', function onStray(fault) {
    if (!interruption.signal.aborted) end({ stray: fault }, FAILED);
  });
  void load()
    .then(function run(cli) {
      return cli.run(argv, {
        stdin: process.stdin,
        stdout: process.stdout,
        stderr: process.stderr,
        environment: process.env,
        cwd: process.cwd(),
        pid: process.pid,
        interruption: interruption.signal,
      });
    })
    .catch(function failed(error) {
      console.error('error: tieup could not start: ' + (error && error.message));
      if (process.env.TIEUP_DEBUG === '1') console.error(error);
      return 1;
    })
    .then(function done(exitCode) {
      return (process.exitCode = exitCode);
    });
}

function load() {
  return import('../dist/cli/run.js').catch(function explain(error) {
    if (error && error.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).indexOf('dist/cli/run.js') !== -1) {
      throw new Error('it is not built (run npm run build)');
    }
    throw error;
  });
}

// `tieup … | head`: the reader has gone, which is no failure of the command.
function quietWhenClosed(error) {
  if (error.code !== 'EPIPE') throw error;
}

start();
