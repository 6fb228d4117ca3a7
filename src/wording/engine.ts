import Handlebars from 'handlebars';
import { TEMPLATE_HELPERS } from './helpers.js';
import { faultOf, TemplateError } from './template-error.js';
import type { TemplateSource } from './template-files.js';

export type CompiledTemplate = (context: object) => string;

/** Handlebars of our own: the shared one may have been given helpers by any package. */
const handlebars = Handlebars.create();
// Not needed: `log` writes to the console, `lookup` reads a property that data names, `with` saves nothing.
const UNWANTED = ['log', 'lookup', 'with'];
for (const name of UNWANTED) handlebars.unregisterHelper(name);
handlebars.registerHelper(TEMPLATE_HELPERS);

const KNOWN_HELPERS = Object.fromEntries([
  ...Object.keys(TEMPLATE_HELPERS).map((name) => [name, true] as const),
  ...UNWANTED.map((name) => [name, false] as const),
]);

/** @throws TemplateError if the file is not Handlebars; asked before composing, where a fault has no file. */
export function checkSyntax({ file, source }: TemplateSource): void {
  try {
    handlebars.parse(source);
  } catch (error) {
    throw new TemplateError(file, faultOf(error));
  }
}

/**
 * Compiles a complete source. `escape` for HTML only: subjects and texts are no markup.
 * @throws TemplateError now, not at the first mail, for unknown helpers and the like.
 */
export function compileTemplate(source: string, file: string, escape: boolean): CompiledTemplate {
  try {
    const template = handlebars.compile<object>(source, {
      noEscape: !escape,
      strict: false,
      knownHelpers: KNOWN_HELPERS,
      knownHelpersOnly: true,
    });
    const render: CompiledTemplate = (context) => {
      return template(context, { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false });
    };
    // Handlebars compiles at the first use: this is it.
    render({});
    return render;
  } catch (error) {
    throw new TemplateError(file, faultOf(error));
  }
}
