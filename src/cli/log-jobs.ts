/** Lines for cron and units for systemd that read and export the logs, each job in the words of its scheduler. */

export interface LogJobs {
  readonly cron: string;
  /** By file name. */
  readonly systemd: Readonly<Record<string, string>>;
}

/** How this tieup is called without a PATH, which neither cron nor systemd has as a login does. */
export interface OwnCall {
  /** Node and the script, absolute. */
  readonly command: readonly string[];
  readonly user: string;
}

/** How long an export waits for a commit that is under way: it comes but once a day. */
const WAIT = '--wait 30';

/**
 * @param folder of tieup.yaml, absolute
 * @param at when to export, `04:10`
 */
export function logJobs(folder: string, at: string, { command, user }: OwnCall): LogJobs {
  const [hour, minute] = at.split(':').map(Number);
  // Not in the minute of the export, which would wait.
  const first = ((minute ?? 0) + 3) % 5;
  const job = (words: string) =>
    `cd ${shellWord(folder)} && { out=$(${command.map(shellWord).join(' ')} logs ${words}) || echo "$out"; }`;
  // Warnings come by mail once a day, with the export, and not every five minutes.
  const lines = [
    `${first}-59/5 * * * *  ${job('commit --quiet 2>&1')}`,
    `${minute} ${hour} * * *  ${job(`export --quiet ${WAIT}`)}`,
  ];
  const service = (verb: string, flags: string) => `[Unit]
Description=tieup logs ${verb}

[Service]
Type=oneshot
User=${user}
WorkingDirectory=${folder.replaceAll('%', '%%')}
ExecStart=${command.map(unitWord).join(' ')} logs ${verb} ${flags}
`;
  return {
    // A per cent sign is a line end to cron.
    cron: lines.map((line) => `${line.replaceAll('%', '\\%')}\n`).join(''),
    systemd: {
      'tieup-logs-commit.service': service('commit', '--quiet'),
      'tieup-logs-commit.timer': timer('commit', `*:${first}/5`),
      'tieup-logs-export.service': service('export', `--quiet ${WAIT}`),
      'tieup-logs-export.timer': timer('export', `*-*-* ${at}:00`),
    },
  };
}

function timer(verb: string, when: string): string {
  return `[Unit]
Description=tieup logs ${verb}

[Timer]
OnCalendar=${when}
Persistent=true

[Install]
WantedBy=timers.target
`;
}

function shellWord(text: string): string {
  return /^[\w./~+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** systemd.service(5), "Command lines": quoted, with `%` and `$` doubled. */
function unitWord(text: string): string {
  const word = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w./~+%$-]+$/.test(word) ? word : `"${word.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
