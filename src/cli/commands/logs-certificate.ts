import type { DocumentData } from '../documents/catalog.ts';
import { TieupError } from '../../errors.ts';
import type { Certified, WantedRecord } from '../../logs/certificate.ts';
import type { Define } from '../define.ts';
import { logKeysFor } from '../log-keys.ts';
import { namedFile } from '../named-file.ts';
import type { Output } from '../output.ts';
import { count } from '../quantity.ts';
import { visible } from '../visible.ts';

const KEY = "the partner's log key: its line, or a file with it; needed outside of a site folder";

export const defineLogCertificates: Define = (command, context) => {
  command
    .command('verify <file>')
    .description(
      'Checks an exported log, or the proof of one record: works offline, with nothing but the file and the key.',
    )
    .option('--key <vkey or file>', KEY)
    .action(async (name, { key }) => {
      const ctx = context();
      const { verifyCertificate } = await import('../../logs/certificate.ts');
      const file = await namedFile(ctx, name);
      const found = await verifyCertificate(() => file.stream(), await logKeysFor(ctx, key));
      ctx.output.result('logs-verify', describe(found), () => text(ctx.output, found));
    });
  command
    .command('prove <file>')
    .description('Prints the proof that one record is in an exported log, as a file that logs verify and others check.')
    .option('--line <n>', 'the record of this line of the access log, from 1 on')
    .option('--record <n>', 'the record at this place of the exported log, from 0 on: for live switches and gaps')
    .option('--key <vkey or file>', KEY)
    .option('--out <file>', 'write the proof to this file')
    .action(async (name, { line, record, key, out }) => {
      const ctx = context();
      const { proveFrom } = await import('../../logs/certificate.ts');
      const wanted = wantedRecord(line, record);
      const file = await namedFile(ctx, name);
      const proof = await proveFrom(() => file.stream(), await logKeysFor(ctx, key), wanted);
      if (out !== undefined) await ctx.writeFile(out, proof);
      const shown = new TextDecoder().decode(proof);
      ctx.output.result('logs-prove', { proof: shown, out: out ?? null }, () =>
        out === undefined ? shown : `${ctx.output.mark('good', `the proof is in ${visible(out)}`)}\n`,
      );
    });
};

function wantedRecord(line: string | undefined, record: string | undefined): WantedRecord {
  const given = line ?? record;
  if (given === undefined || (line !== undefined && record !== undefined) || !/^\d{1,15}$/.test(given)) {
    throw new TieupError('TIEUP_E_USAGE', 'say which record is to be proved', {
      hint: 'use --line 1234, or --record 0',
    });
  }
  return line === undefined ? { kind: 'index', index: Number(given) } : { kind: 'line', seq: Number(given) };
}

function describe(found: Certified): DocumentData<'logs-verify'> {
  const { origin, size, root } = found.kind === 'part' ? found.part.checkpoint : found.checkpoint;
  const { partner, log, epoch, host } = origin;
  const checkpoint = { host, partner, log, epoch, size, root: Buffer.from(root).toString('hex') };
  if (found.kind === 'proof') return { kind: 'proof', checkpoint, index: found.index, record: found.record };
  const { from, disclosed, withheld, classes, firstSeq = null, lastSeq = null } = found.part;
  return { kind: 'part', checkpoint, from, disclosed, withheld, classes, firstSeq, lastSeq };
}

function text(output: Output, found: Certified): string {
  const { origin, size } = found.kind === 'part' ? found.part.checkpoint : found.checkpoint;
  const log = `log ${origin.log} of ${visible(origin.partner)} (${visible(origin.host)}, epoch ${origin.epoch})`;
  const limit = 'What this cannot show: that the web server wrote down everything that happened.\n';
  if (found.kind === 'proof') {
    const { seq, time, class: recordClass, method, path } = found.record;
    const what = [time, recordClass, method, path].filter((each) => each !== '').join(' ');
    return [
      `${output.mark('good', 'the record belongs to the log')}: record ${found.index} of ${log}, line ${seq} of the access log\n`,
      `  ${visible(what)}\n`,
      `It is unaltered since the partner signed its log of ${count(size, 'record')}. ${limit}`,
    ].join('');
  }
  const { from, disclosed, withheld, classes } = found.part;
  const { T, O, X, S, G } = classes;
  const named = [
    [T, 'hit on tie-up pages', 'hits on tie-up pages'],
    [O, 'other hit', 'other hits'],
    [X, 'unreadable line', 'unreadable lines'],
    [S, 'live switch', 'live switches'],
    [G, 'gap', 'gaps'],
  ] as const;
  const shown = named.filter(([number]) => number > 0).map(([number, one, many]) => count(number, one, many));
  return [
    `${output.mark('good', 'unaltered')}: ${log}\n`,
    `  ${count(size - from, 'record')}, from ${from} to before ${size}\n`,
    `  ${disclosed.toLocaleString('en-US')} shown${shown.length === 0 ? '' : `: ${shown.join(', ')}`}\n`,
    `  ${withheld.toLocaleString('en-US')} only counted: their content stays with the partner\n`,
    from === 0 ? '' : `  ${count(from, 'record')} before these, under the same root\n`,
    `Nothing was changed, added, dropped or put in another order since the partner signed it. ${limit}`,
  ].join('');
}
