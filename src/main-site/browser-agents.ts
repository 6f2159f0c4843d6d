/**
 * What browsers that people use call themselves in these weeks: many names, so that a visit cannot be told from others by its own. Chrome and
 * Firefox come out every four weeks, Safari on its own days of the year; not everybody has the newest.
 */

const DAY_MS = 24 * 60 * 60 * 1000;
const FOUR_WEEKS_MS = 28 * DAY_MS;
/** A release of each and its day; later ones follow from the calendar. */
const CHROME = { major: 142, since: Date.parse('2025-10-28') };
const FIREFOX = { major: 145, since: Date.parse('2025-11-11') };
const SAFARI = { major: 26, since: Date.parse('2025-09-15') };
/** Safari's minor version by months since the major one. */
const SAFARI_MINORS = [0, 0, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6];
/** How many versions behind the newest, each as often as it stands here. */
const BEHIND = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 11];

const WINDOWS = 'Windows NT 10.0; Win64; x64';
const MAC = 'Macintosh; Intel Mac OS X 10_15_7';
const LINUX = 'X11; Linux x86_64';

type Draw = <Value>(values: readonly Value[]) => Value;

/** One of them. @param draw takes one of some values by lot */
export function browserAgent(draw: Draw, now: Date): string {
  const agent = draw([chrome, chrome, chrome, edge, firefox, safari, iphone, android, android]);
  return agent(draw, now.getTime());
}

function versionOf(
  { major, since }: { readonly major: number; readonly since: number },
  draw: Draw,
  now: number,
): number {
  return major + Math.max(0, Math.floor((now - since) / FOUR_WEEKS_MS)) - draw(BEHIND);
}

function chrome(draw: Draw, now: number): string {
  return `${chromium(draw([WINDOWS, WINDOWS, WINDOWS, MAC, LINUX, 'X11; CrOS x86_64 14541.0.0']), versionOf(CHROME, draw, now))} Safari/537.36`;
}

function edge(draw: Draw, now: number): string {
  const version = versionOf(CHROME, draw, now);
  return `${chromium(draw([WINDOWS, WINDOWS, MAC]), version)} Safari/537.36 Edg/${version}.0.0.0`;
}

function android(draw: Draw, now: number): string {
  return `${chromium('Linux; Android 10; K', versionOf(CHROME, draw, now))} Mobile Safari/537.36`;
}

function chromium(system: string, version: number): string {
  return `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0`;
}

function firefox(draw: Draw, now: number): string {
  const version = versionOf(FIREFOX, draw, now);
  const system = draw([WINDOWS, WINDOWS, 'Macintosh; Intel Mac OS X 10.15', LINUX, 'X11; Ubuntu; Linux x86_64']);
  return `Mozilla/5.0 (${system}; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`;
}

function safari(draw: Draw, now: number): string {
  return `Mozilla/5.0 (${MAC}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${safariVersion(draw, now)} Safari/605.1.15`;
}

function iphone(draw: Draw, now: number): string {
  const system = `iPhone; CPU iPhone OS ${draw(['18_6', '18_7', '18_7'])} like Mac OS X`;
  return `Mozilla/5.0 (${system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${safariVersion(draw, now)} Mobile/15E148 Safari/604.1`;
}

function safariVersion(draw: Draw, now: number): string {
  const months = Math.max(0, Math.floor((now - draw([0, 0, 30, 60]) * DAY_MS - SAFARI.since) / (30.44 * DAY_MS)));
  return `${SAFARI.major + Math.floor(months / 12)}.${SAFARI_MINORS[months % 12] ?? 0}`;
}
