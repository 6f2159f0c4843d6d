/**
 * For every test file: properties are tried with the same values in every run, so that a run says something about the change
 * before it and not about luck. `TIEUP_RUNS=1000 npm test` looks further, with other values each time; a failure then
 * prints the seed that finds it again. Properties that name their own number of runs keep it.
 */
import { configureGlobal } from 'fast-check';

const numRuns = Number(process.env['TIEUP_RUNS'] ?? 0);

configureGlobal(numRuns > 0 ? { numRuns } : { seed: 20261123 });
