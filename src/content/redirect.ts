/** A small page at a former path; the same for every partner, because its target is relative. */
import { relativeAddress } from './addresses.ts';
import { escapeAttribute, escapeText } from './encode.ts';

/** @param from, to below the mount */
export function renderRedirect(from: string, to: string, title: string, language: string): Uint8Array {
  const href = escapeAttribute(relativeAddress(from, to));
  return new TextEncoder().encode(`<!doctype html>
<html lang="${escapeAttribute(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<meta http-equiv="refresh" content="0; url=${href}">
<link rel="canonical" href="${href}">
<meta name="generator" content="tieup">
</head>
<body>
<p><a href="${href}">${escapeText(title)}</a></p>
</body>
</html>
`);
}
