import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { defineLogsAtMain } from './logs-main.ts';
import { defineLogsAtPartner } from './logs-partner.ts';

export const define: Define = (command, context) => {
  command.addHelpText(
    'after',
    examples({
      'tieup logs commit': 'at the partner, every few minutes: what was logged can no longer be changed',
      'tieup logs export': 'at the partner, once a day: hand out what tieup.yaml discloses, with its certificate',
      'tieup logs pull': 'at the main site: verify every record, keep and cosign them',
    }),
  );
  defineLogsAtPartner(command, context);
  defineLogsAtMain(command, context);
};
