/**
 * What stands in a tree already, indexed so that a new path finds everything it collides with on any file system:
 * the same name, one that differs only in case or Unicode form, a file where it needs a folder, a folder where it is a file.
 */
import { collisionKey } from '../protocol/names.ts';

export interface Occupant {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other' | 'unnamable';
}

export interface Occupants<T extends Occupant> {
  /** Everything that cannot stand beside a file at `path`, each once. */
  collidingWith(path: string): readonly T[];
}

export function indexOccupants<T extends Occupant>(occupants: Iterable<T>): Occupants<T> {
  const at = new Map<string, T[]>();
  const below = new Map<string, T[]>();
  for (const occupant of occupants) {
    const key = collisionKey(occupant.path);
    append(at, key, occupant);
    for (const ancestor of ancestors(key)) append(below, ancestor, occupant);
  }
  return {
    collidingWith(path) {
      const key = collisionKey(path);
      const found = [...(at.get(key) ?? []), ...(below.get(key) ?? [])];
      for (const ancestor of ancestors(key)) {
        found.push(...(at.get(ancestor) ?? []).filter(({ kind }) => kind !== 'folder'));
      }
      return found;
    },
  };
}

/** `a/b` and `a` for `a/b/c`. */
export function ancestors(path: string): string[] {
  const found: string[] = [];
  for (let slash = path.lastIndexOf('/'); slash !== -1; slash = path.lastIndexOf('/', slash - 1)) {
    found.push(path.slice(0, slash));
    if (slash === 0) break;
  }
  return found;
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
