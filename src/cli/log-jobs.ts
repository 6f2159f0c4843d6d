/** Lines for cron and units for systemd that read and export the logs, each job in the words of its scheduler. */

export interface LogJobs {
  readonly cron: string;
  /** By file name. */
  readonly systemd: Readonly<Record<string, string>>;
}

/**
 * @param folder of tieup.yaml, absolute
 * @param at when to export, `04:10`
 */
export function logJobs(folder: string, at: string): LogJobs {
  const [hour, minute] = at.split(':').map(Number);
  // Never in the minute of the export: who comes second would find the logs locked, and an export comes but once a day.
  const first = ((minute ?? 0) + 3) % 5;
  const job = (verb: string) => `cd ${shellWord(folder)} && { out=$(tieup logs ${verb} --quiet) || echo "$out"; }`;
  return {
    // A per cent sign is a line end to cron.
    cron: [`${first}-59/5 * * * *  ${job('commit')}`, `${minute} ${hour} * * *  ${job('export')}`]
      .map((line) => `${line.replaceAll('%', '\\%')}\n`)
      .join(''),
    systemd: {
      'tieup-logs@.service': `[Unit]
Description=tieup logs %i

[Service]
Type=oneshot
User=<the user of tieup>
WorkingDirectory=${folder.replaceAll('%', '%%')}
ExecStart=/usr/bin/env tieup logs %i --quiet
`,
      'tieup-logs-commit.timer': timer('commit', `*:${first}/5`),
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
Unit=tieup-logs@${verb}.service

[Install]
WantedBy=timers.target
`;
}

function shellWord(text: string): string {
  return /^[\w./~+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
