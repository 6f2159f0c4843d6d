/** Script tests of a main site: an enrolled partner of its own for each test of the file, and the command line beside it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type CliPartnership, PASSWORD, startPartnership } from './cli-partnership.ts';
import { call, type Ended } from './script.ts';

export interface MainCommands {
  /** Of the test that runs. */
  readonly sites: () => CliPartnership;
  readonly environment: () => Record<string, string>;
  /** `tieup …words` at the main site, however it ends. */
  readonly run: (...words: readonly string[]) => Promise<Ended>;
  /** Gives the first page this heading. */
  readonly page: (text: string) => Promise<void>;
}

/** Made once and copied: called at the top of a test file. */
export function mainCommands(): MainCommands {
  let enrolled: CliPartnership;
  let sites: CliPartnership;
  beforeAll(async () => {
    enrolled = await startPartnership();
  });
  beforeEach(async () => {
    sites = await enrolled.copy();
  });
  afterEach(() => sites.dispose());
  afterAll(() => enrolled.dispose());
  const environment = () => ({
    PATH: process.env['PATH'] ?? '',
    LANG: 'C.UTF-8',
    TIEUP_PASSWORD: PASSWORD,
    HOME: sites.main,
  });
  return {
    sites: () => sites,
    environment,
    run: (...words) => call(words, sites.main, environment()),
    page: (text) => writeFile(join(sites.main, 'pages/index.md'), `---\ntitle: Hello\n---\n\n# ${text}\n`),
  };
}

/** What `--json` printed. */
export const json = ({ stdout }: Ended): unknown => JSON.parse(stdout);
