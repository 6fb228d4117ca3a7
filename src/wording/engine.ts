import { runInThisContext } from 'node:vm';
import Handlebars from 'handlebars';
import { TEMPLATE_HELPERS } from './helpers.js';
import type { LocaleFormats } from './locale-formats.js';
import { faultOf, TemplateError } from './template-error.js';
import type { TemplateSource } from './template-files.js';

/** @param secrets values of `@names`: links that only the parts written for them can print. */
export type CompiledTemplate = (context: object, secrets?: Secrets) => string;

/** Links that let their holder act: no context has them, so no list of fields and no tenant's template shows them. */
export interface Secrets {
  /** The one-time link of a mail whose kind has one. */
  link_url: unknown;
  /** The page to acknowledge the alert. */
  act_url: unknown;
  unsubscribe_url: unknown;
}

/** A separate Handlebars instance: any package may have added helpers to the shared one. */
const handlebars = Handlebars.create();
// Not needed: `log` writes to the console, `lookup` reads a property named by data, `with` saves nothing.
const UNWANTED = ['log', 'lookup', 'with'];
for (const name of UNWANTED) handlebars.unregisterHelper(name);
handlebars.registerHelper(TEMPLATE_HELPERS);

/** Handlebars' own helpers; they throw while rendering unless they have one argument. */
const CONDITIONS = ['if', 'unless', 'each'];
const HELPERS = new Set([...Object.keys(TEMPLATE_HELPERS), ...CONDITIONS]);
const KNOWN_HELPERS = Object.fromEntries([
  ...Object.keys(TEMPLATE_HELPERS).map((name) => [name, true] as const),
  ...UNWANTED.map((name) => [name, false] as const),
]);

/**
 * Checks a file before it is composed with others; afterwards a fault would have neither file nor line.
 * @throws TemplateError with the line, if it is not Handlebars or calls an unknown helper.
 */
export function checkSyntax({ file, source }: TemplateSource): void {
  let program: hbs.AST.Program;
  try {
    program = handlebars.parse(source);
  } catch (error) {
    const fault = faultOf(error);
    const [, line] = /^Parse error on line (\d+):/.exec(fault) ?? [];
    throw new TemplateError(file, fault, line === undefined ? undefined : Number(line));
  }
  new HelperCheck(file).accept(program);
}

/** Finds calls of unknown helpers: knownHelpersOnly finds them too, but in the composed source. */
class HelperCheck extends Handlebars.Visitor {
  constructor(private readonly file: string) {
    super();
  }

  override MustacheStatement(call: hbs.AST.MustacheStatement): void {
    this.check(call, false);
    super.MustacheStatement(call);
  }

  override BlockStatement(call: hbs.AST.BlockStatement): void {
    this.check(call, true);
    super.BlockStatement(call);
  }

  override SubExpression(call: hbs.AST.SubExpression): void {
    this.check(call, true);
    super.SubExpression(call);
  }

  private check({ path, params, hash, loc }: CallNode, always: boolean): void {
    // The types are inaccurate: a hash may be absent.
    const pairs = (hash as hbs.AST.Hash | undefined)?.pairs ?? [];
    const isCall = always || params.length > 0 || pairs.length > 0;
    if (!isCall || !('original' in path) || typeof path.original !== 'string') return;
    const name = path.original;
    if (!HELPERS.has(name))
      throw new TemplateError(this.file, `there is no helper "${name}"`, loc.start.line);
    if (CONDITIONS.includes(name) && params.length !== 1)
      throw new TemplateError(this.file, `"${name}" takes one argument`, loc.start.line);
  }
}

type CallNode = Pick<hbs.AST.MustacheStatement, 'path' | 'params' | 'hash' | 'loc'>;

/**
 * Prepares a complete source. `escape` for HTML only: titles and texts are not markup. Its code is generated at first
 * use: generating all of it took half a second of every start.
 * @throws TemplateError now, not at the first mail, if the source does not parse; its files are checked before.
 */
export function compileTemplate(
  source: string,
  file: string,
  formats: LocaleFormats,
  escape: boolean,
): CompiledTemplate {
  try {
    handlebars.parse(source);
  } catch (error) {
    throw new TemplateError(file, faultOf(error));
  }
  let render: CompiledTemplate | null = null;
  return (context, secrets) => (render ??= generate(source, formats, escape))(context, secrets);
}

function generate(source: string, formats: LocaleFormats, escape: boolean): CompiledTemplate {
  // The types say object; it is the source of one.
  const specification: unknown = handlebars.precompile(source, {
    noEscape: !escape,
    strict: false,
    knownHelpers: KNOWN_HELPERS,
    knownHelpersOnly: true,
  });
  const template = handlebars.template<object>(runInThisContext(`(${specification as string})`) as object);
  // `data` is not part of the context: rendered data cannot change the formats.
  const options = {
    data: { formats },
    allowProtoPropertiesByDefault: false,
    allowProtoMethodsByDefault: false,
  };
  // Handlebars looks up helpers, hooks and access rules at each call, which took most of a short text's time. They
  // never change here, so keep those of the first call.
  template({}, options);
  Object.assign(template, { _setup: () => undefined });
  return (context, secrets) =>
    template(context, secrets === undefined ? options : { ...options, data: { formats, ...secrets } });
}
