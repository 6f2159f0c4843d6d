/** What makes a page in a browser follow the folder; served by the preview alone, and put into no page that leaves it. */
import { escapeAttribute } from '../../content/encode.ts';
import type { Problem } from '../../errors.ts';
import { formatProblem } from '../../errors.ts';

/** No release can hold a name that begins with a dot. */
export const SCRIPT_ADDRESS = '/.tieup/preview.js';
export const EVENTS_ADDRESS = '/.tieup/events';

/** The page with the script behind it; what it says itself stays as it is. */
export function withLiveScript(page: Uint8Array | string, version: string, notes: readonly Problem[] = []): Uint8Array {
  const said = notes.length === 0 ? '' : ` data-notes="${escapeAttribute(JSON.stringify(notes.map(formatProblem)))}"`;
  const script = `\n<script src="${SCRIPT_ADDRESS}" data-version="${version}"${said}></script>\n`;
  return Buffer.concat([Buffer.from(page), Buffer.from(script)]);
}

/**
 * A browser opens six connections to a server at most, so a page that nobody looks at lets go of its own. When it is looked at
 * again it says which version it shows, and so does one whose server was started anew: nothing is missed.
 */
export const LIVE_SCRIPT = `(() => {
  const { version, notes } = document.currentScript.dataset;
  const query = new URLSearchParams({ address: location.pathname + location.search, version });
  let events;
  const follow = () => {
    events?.close();
    events = undefined;
    if (document.hidden) return;
    events = new EventSource('${EVENTS_ADDRESS}?' + query);
    events.addEventListener('reload', () => location.reload());
  };
  document.addEventListener('visibilitychange', follow);
  addEventListener('pagehide', () => events?.close());
  addEventListener('pageshow', (event) => event.persisted && follow());
  follow();
  if (notes === undefined) return;
  const host = document.createElement('aside');
  host.setAttribute('aria-label', 'tieup preview');
  const root = host.attachShadow({ mode: 'open' });
  root.innerHTML = '<style>' +
    ':host{position:fixed;right:12px;bottom:12px;z-index:2147483647;max-width:min(34rem,calc(100vw - 24px));font:14px/1.45 system-ui,sans-serif}' +
    'details{background:#fff7d6;color:#3a2c00;border:1px solid #8a6d00;border-radius:8px;box-shadow:0 2px 10px #0003}' +
    'summary{cursor:pointer;padding:6px 12px;font-weight:600}ul{margin:0;padding:0 16px 10px 30px;overflow-wrap:anywhere;max-height:40vh;overflow:auto}' +
    '@media print{:host{display:none}}</style><details><summary></summary><ul></ul></details>';
  const said = JSON.parse(notes);
  root.querySelector('summary').textContent = 'tieup: ' + said.length + (said.length === 1 ? ' note' : ' notes');
  for (const note of said) root.querySelector('ul').append(Object.assign(document.createElement('li'), { textContent: note }));
  document.body.append(host);
})();
`;
