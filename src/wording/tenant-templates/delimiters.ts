import { placeAt, TemplateFault } from './template-fault.js';

/** What no template may contain: control characters, lone surrogates, and marks that reverse or hide text. */
export const UNPRINTABLE = /[^\P{Cc}\n\t]|\p{Cs}|[\u2028-\u202e\u2066-\u2069\ufeff]/u;
const QUOTES = ['"', "'"];
/** Of blocks in blocks, and of parentheses: the parser takes quadratic time for them. */
export const MAX_NESTING = 40;

/**
 * Reads a source once, from left to right. Braces are only for expressions, each complete, and every inline has its end:
 * composing it with other parts then takes linear time, and cannot make expressions that its author did not write.
 * @throws TemplateFault with the place.
 */
export function checkDelimiters(source: string): void {
  const unprintable = UNPRINTABLE.exec(source);
  if (unprintable !== null) {
    const code = (source.codePointAt(unprintable.index) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw fault(source, unprintable.index, `the character U+${code} is not allowed`);
  }
  let inline = -1;
  let blocks = 0;
  let at = 0;
  for (;;) {
    at = nextBrace(source, at);
    if (at < 0) break;
    if (!source.startsWith('{{', at)) throw fault(source, at, 'a brace is only allowed in {{…}}');
    if (source[at - 1] === '\\') throw fault(source, at - 1, 'a backslash before {{ is not allowed');
    if (source[at + 2] === '{' || source[at + 2] === '&') {
      throw fault(source, at, 'values are always escaped: use {{…}} with two braces');
    }
    const end = endOf(source, at);
    const expression = source.slice(at, end);
    if (/^\{\{~?#\s*\*/.test(expression)) {
      if (inline >= 0) throw fault(source, at, 'an inline cannot be inside another');
      if (!/^\{\{#\*inline "\w+"\}\}$/.test(expression)) throw fault(source, at, 'write {{#*inline "name"}}');
      inline = at;
    } else if (expression === '{{/inline}}') {
      if (inline < 0) throw fault(source, at, 'this ends no inline');
      inline = -1;
    }
    if (/^\{\{~?\s*[#^]/.test(expression)) blocks++;
    else if (/^\{\{~?\s*\//.test(expression)) blocks--;
    if (blocks > MAX_NESTING) throw fault(source, at, 'blocks are nested too deeply');
    at = end;
  }
  if (inline >= 0) throw fault(source, inline, 'this inline has no {{/inline}}');
}

function nextBrace(source: string, from: number): number {
  const brace = /[{}]/g;
  brace.lastIndex = from;
  return brace.exec(source)?.index ?? -1;
}

/** The index after the end of the expression that begins at `start`. */
function endOf(source: string, start: number): number {
  const isComment = source[start + 2] === '!';
  const close = isComment && source.startsWith('--', start + 3) ? '--}}' : '}}';
  let quote = '';
  let parentheses = 0;
  for (let at = start + 2; at < source.length; at++) {
    const character = source.charAt(at);
    if (quote === '' && source.startsWith(close, at)) return at + close.length;
    if (character === '{' || character === '}') break;
    if (isComment) continue;
    if (character === '\\') throw fault(source, at, 'a backslash is not allowed in an expression');
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (QUOTES.includes(character)) quote = character;
    else if (character === '(' && ++parentheses > MAX_NESTING) {
      throw fault(source, at, 'expressions are nested too deeply');
    } else if (character === ')') parentheses--;
  }
  throw fault(source, start, 'this expression has no end');
}

function fault(source: string, index: number, text: string): TemplateFault {
  return new TemplateFault(text, placeAt(source, index));
}
