/**
 * Every command: its name, a summary, and where it lives. `tieup --help` reads this table and loads nothing else;
 * a command's module, with all that it imports, is loaded when the command is called.
 */
import type { Define } from './define.ts';

interface CatalogEntry {
  readonly name: string;
  /** Lower case, no full stop. */
  readonly summary: string;
  readonly group: 'Main site:' | 'Partner site:' | 'Both:';
  /** Left out of the help: for programs, not for people. */
  readonly hidden?: true;
  readonly load: () => Promise<{ readonly define: Define }>;
}

export const CATALOG: readonly CatalogEntry[] = [
  {
    name: 'init',
    summary: 'write a starter folder for a main site or a partner site',
    group: 'Both:',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'invite',
    summary: 'start a partnership: write the invitation for a partner',
    group: 'Main site:',
    load: () => import('./commands/invite.ts'),
  },
  {
    name: 'enroll',
    summary: 'take in the answer of an invited partner',
    group: 'Main site:',
    load: () => import('./commands/enroll.ts'),
  },
  {
    name: 'partner',
    summary: 'list your partners, suspend, resume or end a partnership',
    group: 'Main site:',
    load: () => import('./commands/partner.ts'),
  },
  {
    name: 'build',
    summary: 'render the pages of each partner into a folder, to look at',
    group: 'Main site:',
    load: () => import('./commands/build.ts'),
  },
  {
    name: 'preview',
    summary: 'show your pages as they would be at a partner, while you write',
    group: 'Main site:',
    load: () => import('./commands/preview.ts'),
  },
  {
    name: 'plan',
    summary: 'say what a push would change at each partner',
    group: 'Main site:',
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'push',
    summary: 'bring your pages to your partners, as signed releases',
    group: 'Main site:',
    load: () => import('./commands/push.ts'),
  },
  {
    name: 'prove',
    summary: 'show that a page at a partner is the one that you signed',
    group: 'Main site:',
    load: () => import('./commands/prove.ts'),
  },
  {
    name: 'refresh',
    summary: 'sign anew, every day, that nothing newer is held back',
    group: 'Main site:',
    load: () => import('./commands/refresh.ts'),
  },
  {
    name: 'unlock',
    summary: 'remove the lock that an interrupted push left in an inbox',
    group: 'Main site:',
    load: () => import('./commands/unlock.ts'),
  },
  {
    name: 'join',
    summary: 'answer an invitation: make this folder a partner site',
    group: 'Partner site:',
    load: () => import('./commands/join.ts'),
  },
  {
    name: 'accept',
    summary: 'look at the release in the inbox, confirm and publish it',
    group: 'Partner site:',
    load: () => import('./commands/accept.ts'),
  },
  {
    name: 'reject',
    summary: 'say no to the release in the inbox, with a reason',
    group: 'Partner site:',
    load: () => import('./commands/reject.ts'),
  },
  {
    name: 'withhold',
    summary: 'keep a single tie-up page off your site, or bring it back',
    group: 'Partner site:',
    load: () => import('./commands/withhold.ts'),
  },
  {
    name: 'merge',
    summary: 'publish again after your own pages or slots changed',
    group: 'Partner site:',
    load: () => import('./commands/merge.ts'),
  },
  {
    name: 'verify',
    summary: 'compare the live tree with what was signed',
    group: 'Partner site:',
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'rollback',
    summary: 'go back to an earlier release, at once at a partner site',
    group: 'Both:',
    load: () => import('./commands/rollback.ts'),
  },
  {
    name: 'resume',
    summary: 'end a rollback',
    group: 'Partner site:',
    load: () => import('./commands/resume.ts'),
  },
  {
    name: 'leave',
    summary: 'take all tie-up pages off your site and leave the partnership',
    group: 'Partner site:',
    load: () => import('./commands/leave.ts'),
  },
  {
    name: 'history',
    summary: 'list what was done here, by whom and when',
    group: 'Both:',
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'redirects',
    summary: 'print the redirects of moved tie-up pages for your web server',
    group: 'Partner site:',
    load: () => import('./commands/redirects.ts'),
  },
  {
    name: 'status',
    summary: 'say where each partner stands, or what waits for you',
    group: 'Both:',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'doctor',
    summary: 'look at keys, clocks, servers and permissions, and say what mends them',
    group: 'Both:',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'logs',
    summary: 'access logs that provably were not altered: commit, export, pull, verify',
    group: 'Both:',
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'keys',
    summary: 'list, make, rotate and back up keys; sign new roots in turns',
    group: 'Both:',
    load: () => import('./commands/keys.ts'),
  },
  {
    name: 'demo',
    summary: 'walk through the whole loop on this machine',
    group: 'Both:',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'schema',
    summary: 'print the JSON Schema of a file that you write, or of what --json prints',
    group: 'Both:',
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'tuf-client',
    summary: 'be the TUF client that a conformance suite drives',
    group: 'Both:',
    hidden: true,
    load: () => import('./commands/tuf-client.ts'),
  },
];
