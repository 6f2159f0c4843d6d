/**
 * Remembers which pages can only be looked at, so that none is parsed twice: not for the next partner, whose copy differs in
 * words alone, and not in the next run.
 *
 * A lie in what is remembered would gain nothing but a refusal later: every partner looks at everything itself.
 */
import type { FragmentStore } from '../content/compile-cached.ts';
import { JUDGE_VERSION } from '../merge/judge-release.ts';
import { sha256 } from '../protocol/digest.ts';
import type { PlannedFile } from './plan-release.ts';

export interface HarmlessContents {
  has(planned: PlannedFile): boolean;
  /** All of `files` but those at `active` have been found harmless. */
  add(files: readonly PlannedFile[], active: readonly string[]): void;
}

const YES = Buffer.from('harmless');
/** What has been asked or found in this run, by what pages that are alike have in common. */
const known = new WeakMap<FragmentStore, Map<string, boolean>>();

export function harmlessContents(store: FragmentStore): HarmlessContents {
  const here = known.get(store) ?? new Map<string, boolean>();
  known.set(store, here);
  const keyOf = (alike: string): string => sha256(`${JUDGE_VERSION} ${alike}`);
  return {
    has({ content }) {
      if (content.kind !== 'bytes' || content.alike === undefined) return false;
      const alike = content.alike();
      const answer = here.get(alike) ?? store.get(keyOf(alike)) !== undefined;
      here.set(alike, answer);
      return answer;
    },
    add(files, active) {
      const not = new Set(active);
      for (const { file, content } of files) {
        if (not.has(file.path) || content.kind !== 'bytes' || content.alike === undefined) continue;
        const alike = content.alike();
        if (here.get(alike) === true) continue;
        here.set(alike, true);
        store.put(keyOf(alike), YES);
      }
      store.flush();
    },
  };
}
