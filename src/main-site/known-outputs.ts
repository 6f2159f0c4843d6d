/**
 * Remembers which digest came of what a page was made of, so that a plan need not render what has not changed.
 *
 * A lie in it can hide that a page has changed, and no more: what is sent is rendered, and is what its digest says. Who may
 * write there may write the pages as well.
 */
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import type { SlotRange } from '../protocol/release.ts';
import { cachePath, type MainSite } from './main-site.ts';
import { planRelease, type PlanInput, type ReleasePlan, type RenderedOutput } from './plan-release.ts';

const NAME = 'outputs';
const MAX_OUTPUTS = 256 * 1024 * 1024;
const FIRST_LINE = 'tieup-outputs/1';

/** The plan, with what was rendered for this partner before and is still known. */
export async function planKnowing(
  site: Pick<MainSite, 'files' | 'identity'>,
  partner: string,
  input: Omit<PlanInput, 'known'>,
): Promise<ReleasePlan> {
  // Without a base everything is rendered; and what comes of it is known once it is one.
  if (input.base === undefined) return planRelease(input);
  const known = await read(site, partner);
  const plan = planRelease({ ...input, known });
  const now = new Map(
    plan.files.flatMap(({ key, file: { digest, length, page } }) =>
      key === undefined || page === undefined ? [] : [[key, { digest, length, slots: page.slots }]],
    ),
  );
  if (now.size !== known.size || [...now.keys()].some((key) => !known.has(key))) await write(site, partner, now);
  return plan;
}

async function read(
  { files, identity }: Pick<MainSite, 'files' | 'identity'>,
  partner: string,
): Promise<ReadonlyMap<string, RenderedOutput>> {
  const bytes = await readIfThere(files, cachePath(partner, NAME), MAX_OUTPUTS);
  if (bytes === undefined) return new Map();
  const [first, ...lines] = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().split('\n');
  if (first !== `${FIRST_LINE} ${sha256(identity)}`) return new Map();
  return new Map(lines.flatMap(parseLine));
}

function parseLine(line: string): readonly [key: string, RenderedOutput][] {
  const [key, digest, length, ...slots] = line.split(' ');
  if (key === undefined || digest === undefined || length === undefined) return [];
  return [[key, { digest, length: Number(length), slots: slots.map(parseSlot) }]];
}

function parseSlot(text: string): SlotRange {
  const [name = '', offset, length, required] = text.split(':');
  return { name, offset: Number(offset), length: Number(length), required: required === 'required' };
}

async function write(
  { files, identity }: Pick<MainSite, 'files' | 'identity'>,
  partner: string,
  outputs: ReadonlyMap<string, RenderedOutput>,
): Promise<void> {
  const lines = [...outputs].map(([key, { digest, length, slots }]) => {
    const ranges = slots.map(
      (slot) => ` ${slot.name}:${slot.offset}:${slot.length}:${slot.required ? 'required' : ''}`,
    );
    return `${key} ${digest} ${length}${ranges.join('')}`;
  });
  const text = [`${FIRST_LINE} ${sha256(identity)}`, ...lines, ''].join('\n');
  await files.write(cachePath(partner, NAME), Buffer.from(text), { durable: false });
}
