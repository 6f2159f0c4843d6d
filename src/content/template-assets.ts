/** Assets that a template names: `{{ mount }}assets/style.css`, wherever an address may stand. */
import { ASSETS, decodePath } from './addresses.ts';
import type { Braces } from './template-holes.ts';
import { isMount } from './variables.ts';

export interface AssetInTemplate {
  /** Below the folder of assets, decoded. */
  readonly path: string;
  /** Where it is written, without `assets/`. */
  readonly start: number;
  readonly end: number;
}

const AFTER_MOUNT = /\{\{[ \t]*(?:partner\.)?mount[ \t]*\}\}assets\/[^\s?#{&"'<>,]+/g;

/** What a template says beside the assets that it names in this way. */
export function withoutAssets(template: string): string {
  return template.replaceAll(AFTER_MOUNT, '');
}

/** The asset whose path follows the variable at `mount`, which has to end before `end`. */
export function assetAfter(source: string, mount: Braces, end: number): AssetInTemplate | undefined {
  if (mount.name === undefined || !isMount(mount.name)) return undefined;
  const [, written] = /^assets\/([^\s?#{&"'<>,]+)/.exec(source.slice(mount.end, end)) ?? [];
  const path = written === undefined ? undefined : decodePath(written);
  if (written === undefined || path === undefined) return undefined;
  const start = mount.end + ASSETS.length;
  return { path, start, end: start + written.length };
}
