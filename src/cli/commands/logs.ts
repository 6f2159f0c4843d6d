import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { defineLogsUpkeep } from './logs-epoch.ts';
import { defineLogsLook } from './logs-look.ts';
import { defineLogCertificates } from './logs-certificate.ts';
import { defineLogsAtMain } from './logs-main.ts';
import { defineLogsAtPartner } from './logs-partner.ts';

export const define: Define = (command, context) => {
  command.addHelpText(
    'after',
    examples({
      'tieup logs detect /var/log/nginx/access.log': 'at the partner, first: which format is it, and how is it read',
      'tieup logs show': 'at the partner: what would leave, record by record',
      'tieup logs commit': 'at the partner, every few minutes: what was logged can no longer be changed',
      'tieup logs export': 'at the partner, once a day: hand out what tieup.yaml discloses, with its certificate',
      'tieup logs pull': 'at the main site: verify every record, keep, cosign and import them',
      'tieup logs verify T.part.gz --key harbour.vkey': 'anywhere: is this exported log unaltered?',
    }),
  );
  defineLogsLook(command, context);
  defineLogsAtPartner(command, context);
  defineLogsUpkeep(command, context);
  defineLogsAtMain(command, context);
  defineLogCertificates(command, context);
};
