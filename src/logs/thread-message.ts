/** Messages between the two halves of one file, in the same process: what is checked is that they are not mixed up. */

export function has(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && name in value;
}
