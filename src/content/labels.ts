/** The few words that Markdown and frameworks add to a page, in the language of the page. */
export interface Labels {
  readonly admonitions: Readonly<Record<'note' | 'tip' | 'important' | 'warning' | 'caution', string>>;
  /** Heading of the footnotes, for screen readers. */
  readonly footnotes: string;
  /** Of the link back from a footnote, before the number of the reference. */
  readonly backToReference: string;
  /** `{{ labels.<name> }}` in templates. */
  readonly framework: Readonly<Record<string, string>>;
}

export const FRAMEWORK_LABELS = [
  'skip',
  'menu',
  'contents',
  'breadcrumb',
  'furtherPages',
  'previous',
  'next',
  'at',
  'publishedBy',
  'togetherWith',
  'thisPage',
  'and',
];

/** @param words five alerts; two words of footnotes; those of {@link FRAMEWORK_LABELS}, in their order */
function labels(words: string): Labels {
  const all = words.split(' | ');
  const [note = '', tip = '', important = '', warning = '', caution = '', footnotes = '', backToReference = ''] = all;
  const further = all.slice(7);
  return {
    admonitions: { note, tip, important, warning, caution },
    footnotes,
    backToReference,
    framework: Object.fromEntries(FRAMEWORK_LABELS.map((name, index) => [name, further[index] ?? ''])),
  };
}

const ENGLISH = labels(
  'Note | Tip | Important | Warning | Caution | Footnotes | Back to reference | Skip to the content | Menu | Contents | Breadcrumb | Further pages | Previous page | Next page | at | This page is published by | together with | This page | and',
);

const LABELS: Readonly<Record<string, Labels>> = {
  de: labels(
    'Hinweis | Tipp | Wichtig | Warnung | Vorsicht | Fußnoten | Zurück zu Verweis | Zum Inhalt springen | Menü | Inhalt | Pfad zu dieser Seite | Weitere Seiten | Vorige Seite | Nächste Seite | bei | Diese Seite wird herausgegeben von | gemeinsam mit | Diese Seite | und',
  ),
  fr: labels(
    'Remarque | Astuce | Important | Avertissement | Attention | Notes de bas de page | Retour à la référence | Aller au contenu | Menu | Sommaire | Fil d’Ariane | Autres pages | Page précédente | Page suivante | chez | Cette page est publiée par | avec | Cette page | et',
  ),
  es: labels(
    'Nota | Consejo | Importante | Advertencia | Precaución | Notas al pie | Volver a la referencia | Ir al contenido | Menú | Contenido | Ruta de navegación | Más páginas | Página anterior | Página siguiente | en | Esta página la publica | junto con | Esta página | y',
  ),
  it: labels(
    'Nota | Suggerimento | Importante | Avvertenza | Attenzione | Note a piè di pagina | Torna al riferimento | Vai al contenuto | Menu | Indice | Percorso | Altre pagine | Pagina precedente | Pagina successiva | presso | Questa pagina è pubblicata da | insieme a | Questa pagina | e',
  ),
  nl: labels(
    'Opmerking | Tip | Belangrijk | Waarschuwing | Let\u00A0op | Voetnoten | Terug naar verwijzing | Naar de inhoud | Menu | Inhoud | Kruimelpad | Meer pagina’s | Vorige pagina | Volgende pagina | bij | Deze pagina wordt uitgegeven door | samen met | Deze pagina | en',
  ),
};

/** Whether a text may hold an alert or a footnote, to which words are added. */
export function mayNeedLabels(markdown: string): boolean {
  return markdown.includes('[!') || markdown.includes('[^');
}

/** @param language BCP 47; English for one without words of its own */
export function labelsFor(language: string): Labels {
  const primary = language.toLowerCase().split('-')[0] ?? '';
  return Object.hasOwn(LABELS, primary) ? (LABELS[primary] ?? ENGLISH) : ENGLISH;
}
