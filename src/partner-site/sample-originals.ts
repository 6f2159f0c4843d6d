/** The original pages of a starter folder: a small shop's own site, to be replaced by a real one. */

interface SamplePage {
  readonly file: 'index.html' | 'visit.html';
  readonly title: string;
  readonly description: string;
  readonly body: string;
}

export function originalIndex(name: string): string {
  return page(name, {
    file: 'index.html',
    title: name,
    description: 'Second-hand books, new paper, and a table by the window.',
    body: `<h1>Books with a past, and a table by the window</h1>
      <p class="lead">Second-hand books and new paper. Sit down before you decide; nobody will ask.</p>

      <h2>This month on the table</h2>
      <ul class="shelf">
        <li><strong>Maps and travel</strong> Coasts that have moved since, borders that have not. All before 1960.</li>
        <li><strong>Detective stories</strong> In green and white covers, the last page present in each of them.</li>
        <li><strong>Cookery</strong> With somebody’s notes in the margins. The notes are the better part.</li>
      </ul>

      <p>There is coffee, too. <a href="visit.html">Come and visit</a>.</p>`,
  });
}

export function originalVisit(name: string): string {
  return page(name, {
    file: 'visit.html',
    title: `Visit – ${name}`,
    description: 'How to find us, and when we are open.',
    body: `<h1>Come and visit</h1>
      <p class="lead">Two minutes from the ferry, up the stairs with the blue rail.</p>

      <h2>Opening hours</h2>
      <dl class="hours">
        <dt>Tuesday, Wednesday</dt>
        <dd>10 to 18</dd>
        <dt>Thursday</dt>
        <dd>10 until the last reader leaves</dd>
        <dt>Friday, Saturday</dt>
        <dd>10 to 18</dd>
      </dl>

      <h2>Bringing books</h2>
      <p>We look at them on Wednesdays. A bag at a time, please, and no encyclopaedias.</p>`,
  });
}

const NAVIGATION = [
  ['index.html', 'The shop'],
  ['visit.html', 'Visit'],
] as const;

function page(name: string, { file, title, description, body }: SamplePage): string {
  const links = NAVIGATION.map(
    ([href, text]) => `<a href="${href}"${href === file ? ' aria-current="page"' : ''}>${text}</a>`,
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="description" content="${escapeHtml(description)}">
    <title>${escapeHtml(title)}</title>
    <link rel="stylesheet" href="style.css">
  </head>
  <body>
    <a class="skip" href="#main">Skip to the content</a>
    <header>
      <p class="name"><a href="index.html">${escapeHtml(name)}</a></p>
      <nav aria-label="Pages">
        ${links.join('\n        ')}
      </nav>
    </header>
    <main id="main" tabindex="-1">
      ${body}
    </main>
    <footer>
      <p>© ${escapeHtml(name)}</p>
    </footer>
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export const ORIGINAL_STYLE = `:root {
  color-scheme: light dark;
  --paper: #fbf7ee;
  --card: #fffdf8;
  --ink: #26221b;
  --soft: #665d4e;
  --line: #ddd3bf;
  --accent: #1f5673;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1a1815;
    --card: #24211d;
    --ink: #ece5d8;
    --soft: #b3a997;
    --line: #443e34;
    --accent: #8cc4e0;
  }
}
* {
  box-sizing: border-box;
}
body {
  display: flex;
  flex-direction: column;
  min-height: 100vh;
  margin: 0 auto;
  max-width: 48rem;
  padding: 0 1.5rem;
  background: var(--paper);
  color: var(--ink);
  font: 1.125rem/1.6 'Iowan Old Style', Palatino, Georgia, 'DejaVu Serif', serif;
  overflow-wrap: break-word;
}
a {
  color: var(--accent);
  text-underline-offset: 0.2em;
}
:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 3px;
}
main:focus {
  outline: none;
}
.skip {
  position: absolute;
  left: -999rem;
}
.skip:focus {
  left: 0.5rem;
  top: 0.5rem;
  padding: 0.5rem 1rem;
  background: var(--accent);
  color: var(--paper);
}
header {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  justify-content: space-between;
  gap: 0.25rem 2rem;
  padding: 1.5rem 0 1rem;
  border-bottom: 3px double var(--line);
}
.name {
  margin: 0;
  font-size: 1.375rem;
  font-variant: small-caps;
  letter-spacing: 0.06em;
}
.name a {
  color: inherit;
  text-decoration: none;
}
nav {
  display: flex;
  gap: 1.5rem;
}
nav [aria-current] {
  color: inherit;
  text-decoration: none;
  border-bottom: 2px solid var(--accent);
}
h1 {
  margin: 3.5rem 0 1rem;
  max-width: 16em;
  font-size: clamp(2rem, 7vw, 3.25rem);
  font-weight: normal;
  line-height: 1.12;
  text-wrap: balance;
}
h2 {
  margin: 3rem 0 1rem;
  font-size: 1.375rem;
  font-weight: normal;
  font-style: italic;
}
.lead {
  max-width: 32em;
  color: var(--soft);
  font-size: 1.25rem;
}
.shelf {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr));
  gap: 1rem;
  margin: 0 0 2rem;
  padding: 0;
  list-style: none;
}
.shelf li {
  padding: 1rem 1.25rem 1.25rem;
  border: 1px solid var(--line);
  border-top: 4px solid var(--accent);
  background: var(--card);
  font-size: 1rem;
}
.shelf strong {
  display: block;
  margin-bottom: 0.25rem;
  font-size: 1.125rem;
}
.hours {
  display: grid;
  grid-template-columns: max-content 1fr;
  gap: 0.5rem 2rem;
  margin: 0;
}
.hours dt {
  color: var(--soft);
}
.hours dd {
  margin: 0;
}
@media (max-width: 30rem) {
  .hours {
    grid-template-columns: 1fr;
    gap: 0;
  }
  .hours dd {
    margin-bottom: 0.75rem;
  }
}
footer {
  margin-top: auto;
  padding: 3rem 0 1.5rem;
  color: var(--soft);
  font-size: 0.9375rem;
}
footer p {
  margin: 0;
  padding-top: 1rem;
  border-top: 1px solid var(--line);
}
`;
