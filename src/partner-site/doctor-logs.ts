/** Whether the access logs are read, handed over and forgotten as they should be. */
import type { LogSource } from '../config/partner-logs.ts';
import type { Machine } from '../io/machine.ts';
import { compileFormat } from '../logs/format.ts';
import { ok, problem, warning, type Finding } from '../report/finding.ts';
import { logVkey } from './commit-logs.ts';
import { forgeryCaution } from './detect-log.ts';
import { overdueSalts } from './logs/day-salts.ts';
import { shownExport } from './logs/exports.ts';
import { type LogState, readLogState } from './logs/log-state.ts';
import type { SourceFiles } from './logs/plan-reading.ts';
import { assertApart } from './logs/read-sources.ts';
import { assertNotSetBack } from './logs/set-back.ts';
import type { PartnerSite } from './partner-site.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_UNEXPORTED_DAYS = 2;
/** Fewer lines say nothing about a format. */
const ENOUGH_LINES = 100;
const MUCH_UNREADABLE = 0.01;

export async function logsFindings(site: PartnerSite, machine: Pick<Machine, 'crontab'>): Promise<readonly Finding[]> {
  const { logs } = site.config;
  if (logs === undefined) return [ok('logs', 'no access logs are read: tieup.yaml has no logs')];
  const found = [...(await sourceFindings(site, logs.sources))];
  for (const { files, format, forwarded } of logs.sources) {
    const caution = forgeryCaution(compileFormat(format, forwarded));
    if (caution !== undefined)
      found.push(warning('logs-format', `visitors can write into ${JSON.stringify(files)} what they want`, caution));
  }
  const overdue = await overdueSalts(site);
  if (overdue.length > 0) {
    const message = `secrets of visitors’ pseudonyms should be destroyed: ${overdue.join(', ')}`;
    found.push(
      problem(
        'logs-salts',
        message,
        'any command of tieup destroys them that may write to the state folder; let cron run tieup logs commit',
      ),
    );
  }
  const state = await readLogState(site);
  if (state === undefined) {
    found.push(warning('logs-commit', 'no access log was read yet', 'tieup logs commit; then tieup logs schedule'));
    return found;
  }
  await assertNotSetBack(site, state);
  if (state.key !== (await logVkey(site))) {
    found.push(
      problem('logs-epoch', 'the log key was replaced, and no new epoch of the logs has begun', 'tieup logs new-epoch'),
    );
  }
  const age = site.clock.now().getTime() - Date.parse(state.time);
  return [
    ...found,
    commitFinding(age),
    ...(await scheduleFindings(site, machine, age)),
    ...(await exportFindings(site, state)),
    unreadableFinding(state),
    ...otherHostFindings(state),
  ];
}

async function sourceFindings(site: PartnerSite, sources: readonly LogSource[]): Promise<readonly Finding[]> {
  const opened: SourceFiles[] = [];
  try {
    for (const { files } of sources) opened.push({ pattern: files, files: await site.logFiles.open(files) });
    assertApart(opened);
    return opened.map(({ pattern, files }) => {
      if (files.length > 0) return ok('logs-readable', `${JSON.stringify(pattern)} can be read`);
      const message = `no log is there that ${JSON.stringify(pattern)} names`;
      return problem('logs-readable', message, 'correct logs.sources in tieup.yaml');
    });
  } finally {
    for (const { files } of opened) for (const file of files) await file.close();
  }
}

function commitFinding(ageMs: number): Finding {
  if (ageMs <= DAY_MS) return ok('logs-commit', 'the access logs were read within the last day');
  const days = Math.floor(ageMs / DAY_MS);
  return problem(
    'logs-commit',
    `the access logs were read last ${days === 1 ? 'a day' : `${days} days`} ago: what rotation removes meanwhile is lost`,
    'tieup logs commit; then tieup logs schedule prints what lets it happen by itself',
  );
}

/** A statement stays as it is while there is nothing new to say. */
async function exportFindings(site: PartnerSite, { counts }: LogState): Promise<readonly Finding[]> {
  const last = await shownExport(site);
  if (last === undefined) return [];
  const days = Math.floor((site.clock.now().getTime() - Date.parse(last.time)) / DAY_MS);
  const fresh = counts.T + counts.O + counts.X - last.lines.T - last.lines.O - last.lines.X;
  if (fresh <= 0 || days < MAX_UNEXPORTED_DAYS) return [ok('logs-export', 'what was read is handed over day by day')];
  return [
    problem(
      'logs-export',
      `${fresh === 1 ? '1 record was' : `${fresh.toLocaleString('en-US')} records were`} not handed over: the last export was ${days} days ago`,
      'tieup logs export tells why; tieup logs schedule prints what lets it happen by itself',
    ),
  ];
}

async function scheduleFindings(
  site: PartnerSite,
  machine: Pick<Machine, 'crontab'>,
  ageMs: number,
): Promise<readonly Finding[]> {
  const lines = ((await machine.crontab()) ?? '').split('\n').filter((line) => !/^\s*#/.test(line));
  return (['commit', 'export'] as const).flatMap((verb) => {
    if (lines.some((line) => new RegExp(String.raw`tieup(?:\.js)?'? logs ${verb}\b`).test(line)))
      return [ok('logs-cron', `tieup logs ${verb} runs by cron`)];
    // A timer of systemd does as well.
    if (verb === 'commit' && ageMs <= HOUR_MS) return [ok('logs-cron', 'something runs tieup logs commit')];
    return [
      warning(
        'logs-cron',
        `no line of your crontab runs tieup logs ${verb}`,
        `cd ${site.files.label} && tieup logs schedule prints it; fine when a timer of systemd does it`,
      ),
    ];
  });
}

function unreadableFinding({ counts: { lines, X } }: LogState): Finding {
  const share = `${X.toLocaleString('en-US')} of ${lines.toLocaleString('en-US')} lines could not be read`;
  if (lines < ENOUGH_LINES || X <= lines * MUCH_UNREADABLE) return ok('logs-unreadable', share);
  return warning(
    'logs-unreadable',
    share,
    'look at the format with tieup logs detect FILE; the main site may take so many for a sign of something else',
  );
}

/** Somebody who tries out hosts is no reason to worry; a host that is named oftener than those of the site is. */
function otherHostFindings({ counts: { T }, otherHosts: [most] }: LogState): readonly Finding[] {
  if (most === undefined || most.requests <= T) return [];
  const { host, requests } = most;
  return [
    warning(
      'logs-hosts',
      `${requests.toLocaleString('en-US')} requests for tie-up pages name the host ${JSON.stringify(host)}, which is none of this site's: they count as your own pages`,
      `if it is a name of this site, add it to logs.hosts in tieup.yaml: hosts: [${JSON.stringify(host)}]`,
    ),
  ];
}
