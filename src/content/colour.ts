/**
 * Colours of CSS: the only values that may stand in a style. A colour has no character that could end a declaration, open
 * a function that fetches, or begin a comment, so whatever value is let through here, the style keeps its shape.
 */

const NAMES = new Set(
  'aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon darkseagreen darkslateblue darkslategray darkslategrey darkturquoise darkviolet deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink indianred indigo ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen lightskyblue lightslategray lightslategrey lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine mediumblue mediumorchid mediumpurple mediumseagreen mediumslateblue mediumspringgreen mediumturquoise mediumvioletred midnightblue mintcream mistyrose moccasin navajowhite navy oldlace olive olivedrab orange orangered orchid palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple rebeccapurple red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue slateblue slategray slategrey snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white whitesmoke yellow yellowgreen transparent currentcolor'.split(
    ' ',
  ),
);
const HEX = /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;
const COMPONENT = String.raw`(?:none|[+-]?(?:\d{1,5}(?:\.\d{1,6})?|\.\d{1,6})(?:%|deg|rad|grad|turn)?)`;
const FUNCTION = new RegExp(
  String.raw`^(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\( *${COMPONENT}(?:(?: *, *| +)${COMPONENT}){2}(?: *[,/] *${COMPONENT})? *\)$`,
  'i',
);

/** Why `value` cannot stand in a style, as the end of a sentence. */
export function colourFault(value: string): string | undefined {
  if (value.length <= 100 && (HEX.test(value) || NAMES.has(value.toLowerCase()) || FUNCTION.test(value)))
    return undefined;
  return 'is no colour such as #b5472f, teal or rgb(181 71 47)';
}

/**
 * Whether a colour may stand in CSS between these two texts: as a value, or a part of one, of a declaration.
 * @param declarations the text consists of declarations, as in a `style` attribute, and not of rules
 * @returns why not, as the end of a sentence
 */
export function colourPlaceFault(before: string, after: string, declarations: boolean): string | undefined {
  if (before.includes('\\')) return 'needs a style without backslashes before it';
  const inside = placeInCss(before, declarations);
  if (inside !== undefined) return inside;
  if (!/[\s:,(/]$/.test(before) || !/^(?:[\s;},)!/]|$)/.test(after)) return 'must be a word of its own in a style';
  return undefined;
}

function placeInCss(css: string, declarations: boolean): string | undefined {
  let depth = declarations ? 1 : 0;
  let colon = false;
  /** Names of the functions whose brackets are open. */
  const functions: string[] = [];
  const token = /\/\*[\s\S]*?(?:\*\/|$)|"[^"\n]*(?:"|$|(?=\n))|'[^'\n]*(?:'|$|(?=\n))|[\w-]*\(|[\s\S]/g;
  for (const [found] of css.matchAll(token)) {
    if (found.startsWith('/*')) {
      if (found.length < 4 || !found.endsWith('*/')) return 'cannot stand in a comment';
    } else if (/^["']/.test(found)) {
      if (found.length < 2 || !found.endsWith(found.slice(0, 1))) return 'cannot stand in a string of a style';
    } else if (found.endsWith('(')) functions.push(found.slice(0, -1).toLowerCase());
    else if (found === ')') functions.pop();
    else if (found === '{') depth += 1;
    else if (found === '}') depth -= 1;
    if (found === '{' || found === '}' || found === ';') {
      colon = false;
      functions.length = 0;
    }
    if (found === ':' && functions.length === 0) colon = true;
  }
  if (functions.some((name) => /^(?:url|src|image-set|-webkit-image-set|image|format|attr|env)$/.test(name)))
    return 'cannot stand in an address of a style';
  return depth >= 1 && colon ? undefined : 'can only be the value of a property in a style';
}
