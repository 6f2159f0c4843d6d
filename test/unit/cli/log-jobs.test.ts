import { expect, test } from 'vitest';
import { logJobs } from '../../../src/cli/log-jobs.ts';

test('jobs name the program by its whole path, also where that has blanks and per cent signs', () => {
  const command = ['/opt/my node/bin/node', '/opt/100%/tieup.js'];
  const { cron, systemd } = logJobs("/srv/it's", '04:10', { command, user: 'shop' });
  const shell = String.raw`'/opt/my node/bin/node' '/opt/100\%/tieup.js' logs`;
  expect(cron).toBe(
    [
      String.raw`3-59/5 * * * *  cd '/srv/it'\''s' && { out=$(${shell} commit --quiet 2>&1) || echo "$out"; }`,
      String.raw`10 4 * * *  cd '/srv/it'\''s' && { out=$(${shell} export --quiet --wait 30) || echo "$out"; }`,
      '',
    ].join('\n'),
  );
  expect(systemd['tieup-logs-export.service']).toContain(
    'User=shop\nWorkingDirectory=/srv/it\'s\nExecStart="/opt/my node/bin/node" /opt/100%%/tieup.js logs export --quiet --wait 30\n',
  );
  expect(Object.keys(systemd)).toHaveLength(4);
});
