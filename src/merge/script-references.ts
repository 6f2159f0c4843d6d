/**
 * What can be seen in a script without running it: remote modules and service workers.
 *
 * This informs, it does not confine: a script that the terms allow can do whatever a page can, also in ways that no search finds.
 */

export interface ScriptReference {
  readonly kind: 'import' | 'service-worker';
  readonly url: string | undefined;
  /** UTF-16 code units from the start. */
  readonly offset: number;
}

const IMPORT = /\b(?:import|from|importScripts)\s*(?:\(\s*)?(["'`])((?:(?!\1)[^\\\n\r]|\\.)*)\1/g;
const SERVICE_WORKER = /\bserviceWorker\b|\bServiceWorker\w*\b/g;

export function scriptReferences(script: string): readonly ScriptReference[] {
  const found: ScriptReference[] = [];
  for (const match of script.matchAll(IMPORT)) {
    found.push({ kind: 'import', url: match[2] ?? '', offset: match.index });
  }
  const worker = [...script.matchAll(SERVICE_WORKER)][0];
  if (worker !== undefined) found.push({ kind: 'service-worker', url: undefined, offset: worker.index });
  return found;
}
