/**
 * Shows the pages as they would be at each partner, while they are being written.
 *
 *   something was saved → site compiled, from what is kept of it → the open pages are told → each asks for itself again
 *
 * Nothing is written but what `tieup build` keeps in `.tieup/`. Whatever is wrong with a page is shown in its place, and the
 * preview goes on.
 */
import type { Partnership } from '../../config/partnership.ts';
import type { CompiledSite } from '../../content/compiled-site.ts';
import { isTieupError, TieupError } from '../../errors.ts';
import type { LoopbackAnswer, LoopbackRequest } from '../../io/loopback-server.ts';
import { sha256 } from '../../protocol/digest.ts';
import { loadSite } from '../load-site.ts';
import type { MainSite } from '../main-site.ts';
import { loadPartnerships } from '../partnerships.ts';
import { MAX_PAGE } from '../read-pages.ts';
import { withExcerpts, type ReadSource, type ShownProblem } from './excerpt.ts';
import { EVENTS_ADDRESS, LIVE_SCRIPT, SCRIPT_ADDRESS, withLiveScript } from './live-script.ts';
import { mergeSite, type MergedSite } from './merged-site.ts';
import type { PartnerFolder } from './partner-folder.ts';
import {
  errorPage,
  leftOutPage,
  notFoundPage,
  OWN_PAGE_HEADERS,
  startPage,
  type ListedPartner,
} from './preview-pages.ts';

export interface PreviewRequest {
  /** Ids or tags; all partners when empty. */
  readonly partners: readonly string[];
  /** For which moment pages come and go by date; the present one when undefined. */
  readonly at: Date | undefined;
  /** The folder of the one partner that is shown. */
  readonly folder: PartnerFolder | undefined;
}

/** What has become of the last reading. */
type State =
  | {
      readonly kind: 'built';
      readonly site: MainSite;
      readonly compiled: CompiledSite;
      readonly partnerships: readonly Partnership[];
      /** By partner, once somebody has asked for one of its pages. */
      readonly merged: Map<string, Promise<MergedSite>>;
    }
  | {
      readonly kind: 'failed';
      readonly error: TieupError;
      /** Beside their lines as they were at that reading: a file that was saved since is another reading's. */
      readonly problems: readonly ShownProblem[];
    };

/** Links on the first page; a partner more is listed with its name alone. */
const MAX_LISTED = 5000;

interface View extends LoopbackAnswer {
  readonly version: string;
}

export class Preview {
  readonly #open: () => Promise<MainSite>;
  readonly #request: PreviewRequest;
  #site: MainSite | undefined;
  #state: State | undefined;
  #listeners = new Set<() => void>();

  /** @param open the main site as its settings are now */
  constructor(open: () => Promise<MainSite>, request: PreviewRequest) {
    this.#open = open;
    this.#request = request;
  }

  /** Reads the folder again; what is wrong with it is shown, and never thrown. */
  async rebuild(): Promise<void> {
    this.#state = await this.#read();
    const listeners = this.#listeners;
    this.#listeners = new Set();
    for (const wake of listeners) wake();
  }

  /** What is wrong with the pages of all partners, for whoever looks at the terminal; undefined when nothing is. */
  get error(): TieupError | undefined {
    return this.#state?.kind === 'failed' ? this.#state.error : undefined;
  }

  /** Where in the list of partners it is; undefined when there is none of this id. */
  indexOf(partner: string): number | undefined {
    if (this.#state?.kind !== 'built') return undefined;
    const index = this.#state.partnerships.findIndex(({ id }) => id === partner);
    return index === -1 ? undefined : index;
  }

  /** The answer of the first address, where partners are chosen. */
  async answerStart(request: LoopbackRequest): Promise<LoopbackAnswer> {
    return this.#answer(request, (address) => this.#viewStart(address));
  }

  /** The answer that a browser gets at a partner's address. */
  async answerAt(partner: string, request: LoopbackRequest): Promise<LoopbackAnswer> {
    return this.#answer(request, (address) => this.#viewAt(partner, address));
  }

  async #read(): Promise<State> {
    const { partners, at } = this.#request;
    try {
      const site = await this.#open();
      this.#site = site;
      const partnerships = await loadPartnerships(site, partners);
      const compiled = await loadSite(site, at ?? site.clock.now());
      return { kind: 'built', site, compiled, partnerships, merged: new Map() };
    } catch (thrown) {
      const error = asTieupError(thrown);
      return { kind: 'failed', error, problems: await withExcerpts(error.problems, this.#sources()) };
    }
  }

  async #answer(
    { path, query, signal }: LoopbackRequest,
    view: (address: string) => Promise<View>,
  ): Promise<LoopbackAnswer> {
    if (path === SCRIPT_ADDRESS) return { status: 200, name: 'preview.js', body: LIVE_SCRIPT };
    if (path !== EVENTS_ADDRESS) return view(path);
    const { pathname } = new URL(query.get('address') ?? '/', 'http://localhost');
    const body = this.#events(() => view(pathname), query.get('version') ?? '', signal);
    return { status: 200, name: 'events', headers: { 'content-type': 'text/event-stream' }, body };
  }

  /** Ends with the one event that there is, once the page is another than the `version` that the browser shows. */
  async *#events(view: () => Promise<View>, version: string, signal: AbortSignal): AsyncIterable<string> {
    yield 'retry: 1000\n\n';
    while (!signal.aborted) {
      const rebuilt = this.#rebuilt(signal);
      if ((await view()).version !== version) {
        yield 'event: reload\ndata:\n\n';
        return;
      }
      await rebuilt;
    }
  }

  /** Resolves at the next reading, or when the browser has gone. */
  #rebuilt(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#listeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#listeners.add(done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  async #viewStart(address: string): Promise<View> {
    const state = this.#state;
    if (state?.kind !== 'built') return viewFailed(state);
    const listed: ListedPartner[] = [];
    let links = 0;
    for (const partnership of state.partnerships) {
      const { id, name, mount } = partnership;
      try {
        const pages = links < MAX_LISTED ? (await this.#merged(state, partnership)).pages : undefined;
        links += pages?.length ?? 0;
        listed.push({ id, name, mount, pages, error: undefined });
      } catch (error) {
        listed.push({ id, name, mount, pages: undefined, error: asTieupError(error) });
      }
    }
    return ownPage(address === '/' ? 200 : 404, startPage(state.site.config.site.name, listed));
  }

  async #viewAt(id: string, address: string): Promise<View> {
    const state = this.#state;
    if (state?.kind !== 'built') return viewFailed(state);
    const partnership = state.partnerships.find((each) => each.id === id);
    if (partnership === undefined)
      return this.#viewError(new TieupError('TIEUP_E_NOT_FOUND', `there is no partner ${JSON.stringify(id)} any more`));
    try {
      const merged = await this.#merged(state, partnership);
      const found = await merged.find(address);
      if (found === undefined) return ownPage(404, notFoundPage(address, partnership.name, merged.pages));
      if (found.kind === 'left-out') return ownPage(404, leftOutPage(found.source, found.slots));
      if (found.kind === 'moved')
        return { status: 302, name: 'moved.txt', headers: { location: found.to }, body: '', version: '' };
      if (found.kind === 'file') return { status: 200, name: found.name, body: found.body, version: '' };
      const { bytes, notes } = found;
      const version = versionOf(bytes, [merged.assetsVersion, notes]);
      return { status: 200, name: 'page.html', body: withLiveScript(bytes, version, notes), version };
    } catch (error) {
      return this.#viewError(asTieupError(error));
    }
  }

  /** What all pages of a partner share is made once after each reading. */
  #merged(
    { site, compiled, merged }: State & { readonly kind: 'built' },
    partnership: Partnership,
  ): Promise<MergedSite> {
    let made = merged.get(partnership.id);
    if (made === undefined) {
      made = mergeSite(site, compiled, partnership, this.#request.folder);
      merged.set(partnership.id, made);
    }
    return made;
  }

  async #viewError(error: TieupError): Promise<View> {
    return viewFailed({ error, problems: await withExcerpts(error.problems, this.#sources()) });
  }

  /** Files of the main site, and of the partner whose folder is shown. */
  #sources(): readonly ReadSource[] {
    const files = this.#site?.files;
    const slots = this.#request.folder?.slots;
    const prefix = `${this.#request.folder?.slotsName}/`;
    return [
      ...(files === undefined ? [] : [(file: string) => files.read(file, MAX_PAGE)]),
      ...(slots === undefined
        ? []
        : [async (file: string) => slots.read(file.startsWith(prefix) ? file.slice(prefix.length) : file, MAX_PAGE)]),
    ];
  }
}

/** Before the first reading there is nothing yet that could have failed. */
function viewFailed(
  { error, problems }: { readonly error: TieupError; readonly problems: readonly ShownProblem[] } = {
    error: new TieupError('TIEUP_E_FAILED', 'nothing has been read yet'),
    problems: [],
  },
): View {
  return ownPage(500, errorPage(error, problems));
}

function ownPage(status: number, html: string): View {
  const version = versionOf(html, status);
  return { status, name: 'page.html', headers: OWN_PAGE_HEADERS, body: withLiveScript(html, version), version };
}

function versionOf(page: Uint8Array | string, beside: unknown): string {
  return sha256(`${sha256(page)} ${JSON.stringify(beside)}`).slice(0, 20);
}

/** A fault that nobody foresaw is shown as well: whoever writes a page must not have to start the preview again. */
function asTieupError(error: unknown): TieupError {
  if (isTieupError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TieupError('TIEUP_E_FAILED', `tieup failed unexpectedly: ${message}`, { cause: error });
}
