/** Reads a file of test/vectors: `{ "about": …, "cases": […] }`. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** The cases of `test/vectors/<name>.json`, each checked by `schema`. */
export function vectors<T>(name: string, schema: z.ZodType<T>): readonly T[] {
  const file = new URL(`../vectors/${name}.json`, import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8'));
  return schema.array().min(1).parse(cases);
}
