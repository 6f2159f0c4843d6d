/** The few words that Markdown adds to a page, in the language of the page. */
export interface Labels {
  readonly admonitions: Readonly<Record<'note' | 'tip' | 'important' | 'warning' | 'caution', string>>;
  /** Heading of the footnotes, for screen readers. */
  readonly footnotes: string;
  /** Of the link back from a footnote, before the number of the reference. */
  readonly backToReference: string;
}

function labels(words: string, footnotes: string, backToReference: string): Labels {
  const [note = '', tip = '', important = '', warning = '', caution = ''] = words.split(' ');
  return { admonitions: { note, tip, important, warning, caution }, footnotes, backToReference };
}

const ENGLISH = labels('Note Tip Important Warning Caution', 'Footnotes', 'Back to reference');

const LABELS: Readonly<Record<string, Labels>> = {
  de: labels('Hinweis Tipp Wichtig Warnung Vorsicht', 'Fußnoten', 'Zurück zu Verweis'),
  fr: labels('Remarque Astuce Important Avertissement Attention', 'Notes de bas de page', 'Retour à la référence'),
  es: labels('Nota Consejo Importante Advertencia Precaución', 'Notas al pie', 'Volver a la referencia'),
  it: labels('Nota Suggerimento Importante Avvertenza Attenzione', 'Note a piè di pagina', 'Torna al riferimento'),
  nl: labels('Opmerking Tip Belangrijk Waarschuwing Let\u00A0op', 'Voetnoten', 'Terug naar verwijzing'),
};

/** @param language BCP 47; English for one without words of its own */
export function labelsFor(language: string): Labels {
  const primary = language.toLowerCase().split('-')[0] ?? '';
  return Object.hasOwn(LABELS, primary) ? (LABELS[primary] ?? ENGLISH) : ENGLISH;
}
