/** The original pages of a starter folder: a small shop's own site, to be replaced by a real one. */

export function originalIndex(name: string): string {
  return page(
    name,
    name,
    `<p class="lead">Second-hand books, new paper, and a table by the window.</p>
      <h2>This month on the table</h2>
      <ul>
        <li>Maps and travel before 1960</li>
        <li>Detective stories in green and white covers</li>
        <li>Cookery books with somebody's notes in them</li>
      </ul>
      <p>There is coffee, too. <a href="visit.html">Come and visit</a>.</p>`,
  );
}

export function originalVisit(name: string): string {
  return page(
    name,
    'Visit',
    `<p class="lead">Two minutes from the ferry, up the stairs with the blue rail.</p>
      <h2>Opening hours</h2>
      <p>Tuesday to Saturday, 10 to 18. On Thursdays until the last reader leaves.</p>
      <p><a href="index.html">Back to the shop</a></p>`,
  );
}

function page(name: string, title: string, body: string): string {
  const heading = escapeHtml(title);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title === name ? heading : `${heading} – ${escapeHtml(name)}`}</title>
    <link rel="stylesheet" href="style.css">
  </head>
  <body>
    <header><a href="index.html">${escapeHtml(name)}</a></header>
    <main>
      <h1>${heading}</h1>
      ${body}
    </main>
    <footer>© ${escapeHtml(name)}</footer>
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export const ORIGINAL_STYLE = `:root {
  color-scheme: light dark;
  --paper: #fbf8f1;
  --ink: #23201b;
  --accent: #1f5673;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1b1a18;
    --ink: #ece6da;
    --accent: #8cc4e0;
  }
}
* {
  box-sizing: border-box;
}
body {
  margin: 0 auto;
  max-width: 42rem;
  padding: 1.5rem;
  background: var(--paper);
  color: var(--ink);
  font: 1.0625rem/1.6 Georgia, 'Times New Roman', serif;
}
header {
  padding-bottom: 0.75rem;
  border-bottom: 3px double currentColor;
  font-variant: small-caps;
  letter-spacing: 0.05em;
}
a {
  color: var(--accent);
}
header a {
  color: inherit;
  text-decoration: none;
}
h1 {
  margin: 2rem 0 0.5rem;
  font-size: 2.25rem;
  line-height: 1.15;
}
h2 {
  margin-top: 2.25rem;
}
.lead {
  font-size: 1.25rem;
}
footer {
  margin-top: 3rem;
  padding-top: 0.75rem;
  border-top: 1px solid currentColor;
  font-size: 0.875rem;
}
`;
