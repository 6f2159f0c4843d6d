import { resolve } from 'node:path';
import { formatProblem, isTieupError, TieupError } from '../../errors.ts';
import type { WatchedPlace } from '../../io/folder-changes.ts';
import type { AnswerRequest, LoopbackAnswer, LoopbackRequest, LoopbackServer } from '../../io/loopback-server.ts';
import type { MainSite } from '../../main-site/main-site.ts';
import { Preview } from '../../main-site/preview/preview.ts';
import { loadPartnerships } from '../../main-site/partnerships.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { CONFIG_FILE } from '../../config/config-file.ts';
import { partnerFolder, type NamedPartnerFolder } from '../partner-folder.ts';
import { momentOption } from '../schedule-text.ts';

const DEFAULT_PORT = 4400;
const MAX_PORT = 65_535;

export const define: Define = (command, context) => {
  command
    .option('-p, --partner <id...>', 'only these partners, by id or tag')
    .option('--originals <folder>', 'the folder of that partner, to see your pages among its own and its slots filled')
    .option('--at <time>', 'as on that day or at that time: pages come and go by date')
    .option('--port <number>', `where to listen on this machine; ${DEFAULT_PORT} or any free one unless given`)
    .addHelpText(
      'after',
      examples({
        'tieup preview': 'then open what it prints in a browser; it follows what you save',
        'tieup preview --partner harbour --originals ../shop': '',
      }),
    )
    .action(async ({ partner = [], originals, at, port }) => {
      const ctx = context();
      const wanted = port === undefined ? undefined : portOption(port);
      const { folder: root } = await ctx.mainConfig();
      let site = await ctx.mainSite();
      const open = async (): Promise<MainSite> => {
        const { config } = await ctx.mainConfig();
        if (JSON.stringify(config) !== JSON.stringify(site.config)) site = await ctx.mainSite();
        return site;
      };
      const moment = momentOption('--at', at, site.config.site.timeZone);
      const folder = originals === undefined ? undefined : await partnerFolder(ctx, originals);
      const partners = await choosePartners(site, partner, folder);
      const preview = new Preview(open, { partners, at: moment, folder });
      await run(ctx, preview, wanted, () => placesOf(root, site.config, folder));
    });
};

/** @throws TIEUP_E_USAGE */
function portOption(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= MAX_PORT) return port;
  throw new TieupError('TIEUP_E_USAGE', `--port ${JSON.stringify(text)} is no port`, {
    hint: 'write a number from 1024 to 65535, or 0 for any that is free',
  });
}

/** The folder of a partner is for one partner alone. @throws TIEUP_E_USAGE, also when somebody is named that is not there. */
async function choosePartners(
  site: MainSite,
  wanted: readonly string[],
  folder: NamedPartnerFolder | undefined,
): Promise<readonly string[]> {
  const own = folder?.partner;
  const chosen = await loadPartnerships(site, wanted.length === 0 && own !== undefined ? [own] : wanted);
  if (folder === undefined) return wanted;
  const [only] = chosen;
  if (only === undefined || chosen.length > 1)
    throw new TieupError('TIEUP_E_USAGE', `--originals is the folder of one partner, and these are ${chosen.length}`, {
      hint: 'say whose it is with --partner <id>',
    });
  if (own !== undefined && own !== only.id)
    throw new TieupError(
      'TIEUP_E_USAGE',
      `that folder is of ${JSON.stringify(own)}, not of ${JSON.stringify(only.id)}`,
      {
        hint: `leave --partner out, or name the folder of ${only.id}`,
      },
    );
  return [only.id];
}

/** Until Ctrl-C. Each partner has a server of its own, as it has a site of its own: addresses in pages begin at its root. */
async function run(ctx: Context, preview: Preview, port: number | undefined, places: () => readonly WatchedPlace[]) {
  const servers = new Map<string, Promise<LoopbackServer>>();
  let first: LoopbackServer | undefined;
  const partnerServer = (id: string, index: number): Promise<LoopbackServer> => {
    let server = servers.get(id);
    if (server === undefined) {
      const wish = port === 0 || first === undefined ? 0 : first.port + 1 + index;
      server = listen(ctx, (request) => preview.answerAt(id, request), wish <= MAX_PORT ? wish : 0);
      servers.set(id, server);
    }
    return server;
  };
  const answer = async (request: LoopbackRequest): Promise<LoopbackAnswer> => {
    const [, id = '', address = ''] = /^\/to\/([a-z0-9-]+)(\/.*)$/.exec(request.path) ?? [];
    const index = preview.indexOf(id);
    if (index === undefined) return preview.answerStart(request);
    const { port: at } = await partnerServer(id, index);
    return { status: 302, name: 'moved.txt', headers: { location: `http://127.0.0.1:${at}${address}` }, body: '' };
  };
  try {
    let shown: string | undefined;
    for await (const _ of ctx.changes(places, ctx.interruption)) {
      await preview.rebuild();
      first ??= await begin(ctx, answer, port);
      const said = describe(preview.error);
      if (said !== shown && (said !== '' || shown !== undefined))
        ctx.output.message(said === '' ? 'the pages can be shown again' : said);
      shown = said;
    }
  } finally {
    for (const server of await Promise.all(servers.values())) await server.close();
    await first?.close();
  }
}

async function begin(ctx: Context, answer: AnswerRequest, port: number | undefined): Promise<LoopbackServer> {
  const server = port === undefined ? await listen(ctx, answer, DEFAULT_PORT) : await ctx.serve(answer, port);
  const url = `http://127.0.0.1:${server.port}/`;
  ctx.output.result('preview', { url }, () => `${url}\n`);
  ctx.output.message('open it in a browser of this machine; it follows what you save, until you press Ctrl-C');
  return server;
}

/** At this port, or at another where it is taken. */
async function listen(ctx: Context, answer: AnswerRequest, wish: number): Promise<LoopbackServer> {
  try {
    return await ctx.serve(answer, wish);
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_EXISTS')) throw error;
    return ctx.serve(answer, 0);
  }
}

function describe(error: TieupError | undefined): string {
  if (error === undefined) return '';
  return [error.message, ...error.problems.map((problem) => `  ${formatProblem(problem)}`)].join('\n');
}

/** What the pages are made of; everything else in the folder may change without a word. */
function placesOf(
  folder: string,
  { folders }: MainSite['config'],
  partner: NamedPartnerFolder | undefined,
): readonly WatchedPlace[] {
  const { pages, templates, assets, data, includes, partners } = folders;
  return [
    { path: resolve(folder, CONFIG_FILE), kind: 'file' },
    ...[pages, templates, assets, data, includes, partners].map((name) => ({
      path: resolve(folder, name),
      kind: 'folder' as const,
    })),
    ...(partner?.folders ?? []).map((path) => ({ path, kind: 'folder' as const })),
  ];
}
