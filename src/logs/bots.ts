/** Programs that say so in their user agent. Part of the rule set of rules.ts. */
import { RULE_SET } from './rules.ts';

interface BotRule {
  readonly id: string;
  readonly pattern: RegExp;
}

/** The first that matches names the bot. */
const BOTS: readonly BotRule[] = [
  { id: 'googlebot', pattern: /googlebot|google-inspectiontool|adsbot-google|mediapartners-google|googleother/i },
  { id: 'bingbot', pattern: /bingbot|bingpreview|msnbot|adidxbot/i },
  { id: 'yandexbot', pattern: /yandex\w*bot|yandex(?:images|metrika|webmaster)|yandex\.com\/bots/i },
  { id: 'baiduspider', pattern: /baiduspider/i },
  { id: 'applebot', pattern: /applebot/i },
  { id: 'duckduckbot', pattern: /duckduck(?:bot|go-favicons)/i },
  {
    id: 'ai-crawler',
    pattern:
      /gptbot|chatgpt-user|oai-searchbot|claudebot|claude-web|anthropic|ccbot|perplexitybot|bytespider|amazonbot|meta-externalagent|diffbot|cohere-ai/i,
  },
  {
    id: 'seo-crawler',
    pattern: /ahrefs|semrush|mj12bot|dotbot|blexbot|dataforseo|serpstat|megaindex|seokicks|petalbot|screaming frog/i,
  },
  {
    id: 'link-preview',
    pattern:
      /facebookexternalhit|facebot|twitterbot|linkedinbot|slackbot|telegrambot|whatsapp\/|discordbot|pinterest(?:bot)?\/|skypeuripreview/i,
  },
  { id: 'feed-reader', pattern: /feedly|feedfetcher|newsblur|inoreader|tiny tiny rss|miniflux|freshrss/i },
  {
    id: 'monitor',
    pattern:
      /uptime|pingdom|statuscake|site24x7|nagios|check_http|zabbix|datadog|newrelicpinger|better ?stack|blackbox-exporter|kube-probe|elb-healthchecker/i,
  },
  {
    id: 'security-scanner',
    pattern:
      /sqlmap|nikto|nessus|nuclei|wpscan|masscan|zgrab|nmap|censys|shodan|expanse|internetmeasurement|acunetix|netsparker|dirbuster|gobuster|feroxbuster|l9explore|l9tcpid|leakix/i,
  },
  {
    id: 'library',
    pattern:
      /^(?:python|go-http-client|curl|wget|libwww|java|okhttp|axios|node-fetch|node|undici|got|guzzlehttp|php|ruby|perl|apache-httpclient|httpie|aiohttp|scrapy|postmanruntime|rest-client|dart|reqwest|lua-resty)\b|python-requests|aiohttp\/|httpx\/|scrapy\/|headlesschrome|phantomjs/i,
  },
  { id: 'other', pattern: /(?<!\bcu)bot\b|crawler|spider|crawling|slurp|archive\.org|heritrix|\+https?:\/\//i },
];

const SCANNER = BOTS.findIndex(({ id }) => id === 'security-scanner');

/** The number of the rule that names the program of this user agent, or -1. */
export function botOf(agent: string): number {
  return BOTS.findIndex(({ pattern }) => pattern.test(agent));
}

/** The record's field for a rule's number. */
export function botText(bot: number): string {
  return bot < 0 ? '' : `${RULE_SET}/${BOTS[bot]?.id ?? ''}`;
}

/** True when the program is one that looks for holes, which is a signal too. */
export function isScanner(bot: number): boolean {
  return bot === SCANNER;
}
