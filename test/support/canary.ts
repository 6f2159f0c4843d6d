/** Notices when a page does what it must not: runs something, opens a dialog, asks another origin, or leads to code. */
import { createServer } from 'node:http';
import type { BrowserContext, Page } from 'playwright-core';

/** A server that nobody has a reason to ask. */
export interface Canary {
  readonly origin: string;
  /** What was asked for. */
  readonly asked: string[];
  close(): void;
}

export async function startCanary(): Promise<Canary> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the canary has no port');
  return { origin: `http://127.0.0.1:${address.port}`, asked, close: () => void server.close() };
}

/** Whatever waits for an event gets it; what a link would run is run, and where else it leads is not gone to. */
const PROVOKE = `(async () => {
  const stay = (event) => {
    const link = event.target.closest?.('a, area');
    if (link && !/^javascript:/i.test(link.href?.baseVal ?? link.href)) event.preventDefault();
  };
  document.addEventListener('click', stay, true);
  document.addEventListener('submit', (event) => event.preventDefault(), true);
  for (const element of document.querySelectorAll('*')) {
    for (const name of ['load', 'error', 'mouseover', 'focus', 'blur', 'toggle', 'start', 'animationstart', 'begin'])
      element.dispatchEvent(new Event(name));
    element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
  }
  await new Promise((done) => setTimeout(done));
})()`;

/** Addresses that are no address of a page, a mailbox or a telephone, and handlers, wherever they are. */
const SUSPECTS = `[...document.querySelectorAll('*')].flatMap((element) => [...element.attributes].flatMap(({ name, value }) => {
  if (/^on/i.test(name)) return ['handler: ' + name];
  if (!/^(?:href|xlink:href|src|action|formaction|data|poster|cite|background|ping|srcset)$/i.test(name)) return [];
  const { protocol } = new URL(value, document.baseURI);
  return /^(?:https?|mailto|tel):$/.test(protocol) ? [] : ['address: ' + protocol];
}))`;

/** What a page did, or would do; empty when it did nothing. */
export interface Visit {
  readonly misdeeds: readonly string[];
  /** Still open, unless it opened a dialog or went elsewhere. */
  readonly page: Page;
}

/** Opens one page after the other, in a new window after one that opened a dialog or went elsewhere. */
export function suspiciousVisitor(context: BrowserContext): (address: string) => Promise<Visit> {
  let open: Page | undefined;
  return async (address) => {
    open ??= await context.newPage();
    const page = open;
    const misdeeds = await misdeedsOf(page, address);
    if (misdeeds.some((each) => /^(?:went|dialog)/.test(each))) {
      open = undefined;
      // The browser closes it at the latest.
      page.close().catch(() => {});
    }
    return { misdeeds, page };
  };
}

async function misdeedsOf(page: Page, address: string): Promise<readonly string[]> {
  const found: string[] = [];
  const { origin } = new URL(address);
  page.removeAllListeners();
  page.on('dialog', (dialog) => {
    found.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss().catch(() => {});
  });
  page.on('console', (message) => {
    if (/pwned/.test(message.text())) found.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) found.push(`request: ${request.url()}`);
  });
  const gone = new Promise<string>((resolve) => {
    page.on('framenavigated', (frame) => {
      if (frame === page.mainFrame() && frame.url() !== address) resolve(`went: ${frame.url()}`);
    });
  });
  // A page that goes elsewhere takes what was to be asked of it along.
  const went = await Promise.race([gone, look(page, address, found)]);
  return went === undefined ? found : [...found, went];
}

async function look(page: Page, address: string, found: string[]): Promise<string | undefined> {
  try {
    await page.goto(address);
    found.push(...(await page.evaluate<string[]>(SUSPECTS)));
    await page.evaluate(PROVOKE);
    if (await page.evaluate<boolean>('window.__pwned !== undefined')) found.push('ran');
    return undefined;
  } catch (error) {
    return `went: ${error instanceof Error ? error.message : String(error)}`;
  }
}
