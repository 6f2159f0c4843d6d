import { Option } from '@commander-js/extra-typings';
import { siteAddress } from '../../config/fields.ts';
import { initMainSite } from '../../main-site/init.ts';
import { initPartnerSite } from '../../partner-site/init.ts';
import { answer, newPassword, nobodyToAsk } from '../answers.ts';
import type { Define } from '../define.ts';
import type { Context } from '../command-context.ts';
import { examples } from '../examples.ts';
import { packageFolder } from '../package-files.ts';
import { FRAMEWORKS, readStarterParts, type Framework } from '../starter-parts.ts';
import { visible } from '../visible.ts';

interface Flags {
  readonly role?: 'main' | 'partner';
  readonly name?: string;
  readonly url?: string;
  readonly partner?: string;
  readonly partnerName?: string;
  readonly partnerUrl?: string;
  readonly mount?: string;
  readonly framework?: Framework;
}

export const define: Define = (command, context) => {
  command
    .argument('[folder]', 'where to write; it may exist, the files may not', '.')
    .addOption(new Option('--role <role>', 'whose site it is').choices(['main', 'partner'] as const))
    .option('--name <name>', 'the name of your site')
    .option('--url <address>', 'main: the address of your site')
    .option('--partner <id>', 'main: the id of your first partner')
    .option('--partner-name <name>', 'main: its name')
    .option('--partner-url <address>', 'main: the address of its site')
    .option('--mount <path>', 'main: where your pages live there')
    .addOption(
      new Option('--framework <name>', 'main: the frame around your pages').choices(FRAMEWORKS).default('plain'),
    )
    .addHelpText(
      'after',
      examples({
        'tieup init': 'asks for everything',
        'tieup init northwind --role main --name Northwind --url https://northwind.example/': '',
        'tieup init docs --role main --framework documentation': '',
        'tieup init shop --role partner --name "Harbour Books"': 'then tieup join with your invitation',
      }),
    )
    .action(async (folder, flags) => {
      const role = await chooseRole(context(), flags.role);
      await (role === 'main' ? initMain(context(), folder, flags) : initPartner(context(), folder, flags));
    });
};

async function chooseRole(context: Context, given: Flags['role']): Promise<'main' | 'partner'> {
  if (given !== undefined) return given;
  if (!context.canAsk) throw nobodyToAsk('--role');
  const prompt = await context.prompt();
  const chosen = await prompt.choose('Whose site is it?', [
    { value: 'main', label: 'a main site, which publishes pages at its partners' },
    { value: 'partner', label: 'a partner site, which takes pages of a main site' },
  ]);
  return chosen === 'partner' ? 'partner' : 'main';
}

async function initMain(context: Context, folder: string, flags: Flags): Promise<void> {
  const ask = (
    flag: string,
    given: string | undefined,
    question: string,
    suggestion: string,
    read: (text: string) => string = (text) => text,
  ): Promise<string> => answer(context, { flag, given, ask: question, suggestion, read });
  const name = await ask('--name', flags.name, 'Name of your site', 'Northwind Coffee');
  const url = await ask('--url', flags.url, 'Its address', 'https://northwind.example/', siteAddress);
  // A sample partner does no harm: nothing is pushed to it before it has joined.
  const sample = (given: string | undefined, value: string) => given ?? (context.canAsk ? undefined : value);
  const id = await ask('--partner', sample(flags.partner, 'harbour'), 'Id of your first partner', 'harbour');
  const partnerName = await ask(
    '--partner-name',
    sample(flags.partnerName, 'Harbour Books'),
    'Its name',
    'Harbour Books',
  );
  const suggestedUrl = `https://${id}.example/`;
  const partnerUrl = await ask(
    '--partner-url',
    sample(flags.partnerUrl, suggestedUrl),
    'Its address',
    suggestedUrl,
    siteAddress,
  );
  const suggestedMount = mountFor(name);
  const mount = await ask(
    '--mount',
    sample(flags.mount, suggestedMount),
    'Where your pages live there',
    suggestedMount,
  );

  const answers = { name, url, partner: { id, name: partnerName, url: partnerUrl }, mount, from: today(context) };
  const keys = await context.keyStore(`${folder}/keys`);
  const files = await initMainSite(
    { tree: await context.tree(folder), keys, random: context.random },
    answers,
    await readStarterParts(await context.tree(packageFolder('templates')), flags.framework ?? 'plain'),
    await context.sshKey(`tieup@${new URL(url).hostname}`),
    await newPassword(context, keys, 'root'),
  );
  report(context, 'main', folder, files, [
    'keep a copy of keys/ in a safe place: who has it and the password can sign as you',
    'look at your pages:   tieup preview',
    `invite your partner:  tieup invite ${id}`,
    'then move keys/root-spare.key to another medium, such as a stick, and keep it away from this machine: it mends the loss of keys/root.key',
  ]);
}

async function initPartner(context: Context, folder: string, flags: Flags): Promise<void> {
  const name = await answer(context, {
    flag: '--name',
    given: flags.name,
    ask: 'Name of your site',
    suggestion: 'Harbour Books',
  });
  const files = await initPartnerSite(await context.tree(folder), { name });
  report(context, 'partner', folder, files, [
    'put your own pages into original/',
    'ask the main site for an invitation, then:  tieup join <invitation>',
  ]);
}

function report(
  { output }: Context,
  role: 'main' | 'partner',
  folder: string,
  files: readonly string[],
  next: readonly string[],
): void {
  output.result('init', { role, folder, files }, () => {
    const made = files.map((file) => `  ${output.mark('added', visible(file))}\n`).join('');
    const here = folder === '.' ? [] : [`go there:  cd ${folder}`];
    const steps = [...here, ...next].map((step) => `  - ${visible(step)}\n`).join('');
    return `${output.strong(`a ${role} site in ${visible(folder)}`)}\n${made}\n${output.strong('next')}\n${steps}`;
  });
}

/** `/with-northwind-coffee/` for Northwind Coffee. */
function mountFor(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const slug = plain
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
  return slug === '' ? '/tie-up/' : `/with-${slug}/`;
}

function today({ clock }: Context): string {
  return clock.now().toISOString().slice(0, 10);
}
