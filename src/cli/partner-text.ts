/** Partnerships as the main site reads them: a table of all, a sheet of one. */
import type { DocumentData } from './documents/catalog.ts';
import type { PartnershipView } from '../main-site/partner-admin.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';
import { visible } from './visible.ts';

export function partnerTable(output: Output, views: readonly PartnershipView[]): string {
  if (views.length === 0) return 'there is no partner yet\n';
  return table(
    ['partner', 'name', 'status', 'contract', 'mount', ''],
    views.map((view) => [
      visible(view.partnership.id),
      visible(view.partnership.name),
      statusText(output, view),
      periodText(view),
      visible(view.partnership.mount),
      visible(view.notInForce?.message ?? ''),
    ]),
  );
}

export function partnerSheet(output: Output, view: PartnershipView): string {
  const { partnership, notInForce } = view;
  const { id, name, url, mount, tags, services, tariff, sftp, epoch, invitation } = partnership;
  const lines: readonly (readonly [string, string])[] = [
    ['site', url],
    ['contract', periodText(view)],
    ['mount', mount],
    ['tags', tags.length === 0 ? '-' : tags.join(', ')],
    ['services', services.join(', ')],
    ['tariff', tariff ?? 'none'],
    ['pushes go to', sftp?.url ?? '-'],
    ['host keys', sftp === null ? '-' : sftp.hostKeys.map((key) => key.split(' ').slice(0, 2).join(' ')).join(', ')],
    ['epoch of its keys', String(epoch)],
    ['open invitation', invitation === null ? 'none' : `until ${invitation.until}`],
  ];
  return [
    `${output.strong(`${visible(name)} (${visible(id)})`)}  ${statusText(output, view)}`,
    ...(notInForce === undefined ? [] : [`  ${visible(notInForce.message)}`, `  ${visible(notInForce.hint)}`]),
    ...lines.map(([label, value]) => `  ${`${label}:`.padEnd(20)} ${visible(value)}`),
    '',
  ].join('\n');
}

/** For `--json`: the partnership as its file states it, without the digests of an open invitation's secret. */
export function describePartner({ partnership, notInForce }: PartnershipView): DocumentData<'partner'> {
  const { invitation, suspendedUntil, suspendedFor, ...rest } = partnership;
  return {
    ...rest,
    suspendedUntil: suspendedUntil ?? null,
    suspendedFor: suspendedFor ?? null,
    invitation: invitation === null ? null : { digest: invitation.digest, until: invitation.until },
    inForce: notInForce === undefined,
    notInForce: notInForce ?? null,
  };
}

function statusText(output: Output, { partnership: { status }, notInForce }: PartnershipView): string {
  if (notInForce === undefined) return output.mark('good', status);
  return output.mark(status === 'invited' ? 'waiting' : 'warning', notInForce.kind);
}

function periodText({ partnership: { period } }: PartnershipView): string {
  return `${period.from} to ${period.until ?? 'further notice'}`;
}
