/**
 * Remembers which pages and assets can only be looked at, so that none is parsed twice: not for the next partner, whose copy
 * of a page differs in words alone, and pages not in the next run either.
 *
 * A lie in what is remembered would gain nothing but a refusal later: every partner looks at everything itself.
 */
import type { FragmentStore } from '../content/compile-cached.ts';
import { fileKey, JUDGE_VERSION } from '../merge/judge-release.ts';
import { sha256 } from '../protocol/digest.ts';
import type { PlannedFile } from './plan-release.ts';

export interface HarmlessContents {
  has(planned: PlannedFile): boolean;
  /** All of `files` but those at `active` have been found harmless. */
  add(files: readonly PlannedFile[], active: readonly string[]): void;
}

const YES = Buffer.from('harmless');
/** What has been asked or found in this run, by what those that are alike have in common. */
const known = new WeakMap<FragmentStore, Map<string, boolean>>();

/** @param identity of this program: another one may see more in the same page, or make another page of the same parts */
export function harmlessContents(store: FragmentStore, identity: string): HarmlessContents {
  const here = known.get(store) ?? new Map<string, boolean>();
  known.set(store, here);
  const keyOf = (alike: string): string => sha256(`${JUDGE_VERSION} ${identity} ${alike}`);
  return {
    has(planned) {
      const { alike, asset } = subjectOf(planned);
      if (asset !== undefined) return here.get(asset) === true;
      if (alike === undefined) return false;
      const answer = here.get(alike) ?? store.get(keyOf(alike)) !== undefined;
      here.set(alike, answer);
      return answer;
    },
    add(files, active) {
      const not = new Set(active);
      for (const planned of files) {
        const { alike, asset } = not.has(planned.file.path) ? {} : subjectOf(planned);
        if (asset !== undefined) here.set(asset, true);
        if (alike === undefined || here.get(alike) === true) continue;
        here.set(alike, true);
        store.put(keyOf(alike), YES);
      }
      store.flush();
    },
  };
}

/** What copies that are judged alike have in common. Assets are remembered in this run alone: keeping costs more than looking. */
function subjectOf({ file, content }: PlannedFile): { readonly alike?: string; readonly asset?: string } {
  if (content.kind === 'asset') return { asset: `asset ${fileKey(file)}` };
  return content.alike === undefined ? {} : { alike: content.alike() };
}
