import { pairsOf, HELPER_NAMES, isType, parseTemplate, placeOf } from './program.js';
import { TemplateFault } from './template-fault.js';
import { checkDelimiters, MAX_NESTING } from './delimiters.js';

/** What a tenant's source may name. */
export interface Names {
  /** Fields at the top of the context, and `data.` with each field of the kind's data. */
  fields: { has(field: string): boolean };
  /** Parts that `{{> name}}` inserts, besides the source's own inlines. */
  parts: ReadonlySet<string>;
}

const BLOCKS = ['if', 'unless', 'each'];
const VARIABLES = ['index', 'key', 'first', 'last', 'root'];
/** Named values of helpers that take them. */
const NAMED_VALUES = ['choose', 'plural'];
/** Names that reach into prototypes. */
const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];

/**
 * Checks a source as its author wrote it, so that a fault has a place: syntax, helpers, inserted parts, and the names
 * of fields where they are certain (not in lists and inlines, whose values depend on where they are inserted).
 * @returns the names of its inserted parts.
 * @throws TemplateFault
 */
export function checkSource(source: string, names: Names): ReadonlySet<string> {
  checkDelimiters(source);
  const tree = parseTemplate(source);
  const check = new SourceCheck(new Set([...names.parts, ...inlineNames(tree)]), names.fields);
  check.program(tree, { nesting: 0, certain: true });
  return check.inserted;
}

function inlineNames(tree: hbs.AST.Program): string[] {
  return tree.body.flatMap((statement) =>
    isType<hbs.AST.DecoratorBlock>(statement, 'DecoratorBlock') ? [inlineName(statement)] : [],
  );
}

function inlineName({ params }: hbs.AST.DecoratorBlock): string {
  const [name] = params;
  return name !== undefined && isType<hbs.AST.StringLiteral>(name, 'StringLiteral') ? name.value : '';
}

interface At {
  nesting: number;
  /** Whether `this` is the context of the notification. */
  certain: boolean;
}

class SourceCheck {
  readonly inserted = new Set<string>();

  constructor(
    private readonly parts: ReadonlySet<string>,
    private readonly fields: Names['fields'],
  ) {}

  program(program: hbs.AST.Program | undefined, at: At): void {
    for (const statement of program?.body ?? []) this.statement(statement, at);
  }

  private statement(statement: hbs.AST.Statement, at: At): void {
    if (at.nesting > MAX_NESTING) throw new TemplateFault('blocks are nested too deeply', placeOf(statement));
    if (isType<hbs.AST.MustacheStatement>(statement, 'MustacheStatement')) this.call(statement, at, false);
    else if (isType<hbs.AST.BlockStatement>(statement, 'BlockStatement')) this.block(statement, at);
    else if (isType<hbs.AST.PartialStatement>(statement, 'PartialStatement')) this.insert(statement);
    else if (isType<hbs.AST.DecoratorBlock>(statement, 'DecoratorBlock')) {
      if (at.nesting > 0) throw new TemplateFault('an inline cannot be inside a block', placeOf(statement));
      this.program(statement.program, { nesting: 1, certain: false });
    } else if (!['ContentStatement', 'CommentStatement'].includes(statement.type)) {
      throw new TemplateFault('this kind of expression is not allowed', placeOf(statement));
    }
  }

  private block(block: hbs.AST.BlockStatement, at: At): void {
    const name = block.path.original;
    if (!BLOCKS.includes(name)) {
      throw new TemplateFault(`"${name}" is not a block: use if, unless or each`, placeOf(block));
    }
    const [argument, ...others] = block.params;
    if (argument === undefined || others.length > 0 || pairsOf(block.hash).length > 0) {
      throw new TemplateFault(`"${name}" takes one argument`, placeOf(block));
    }
    this.value(argument, at);
    const inner = { nesting: at.nesting + 1, certain: at.certain && name !== 'each' };
    this.program(block.program, inner);
    this.program(block.inverse, { ...inner, certain: at.certain });
  }

  private insert({ name, params, hash, ...rest }: hbs.AST.PartialStatement): void {
    const place = placeOf(rest);
    if (
      !isType<hbs.AST.PathExpression>(name, 'PathExpression') ||
      params.length > 0 ||
      pairsOf(hash).length > 0
    ) {
      throw new TemplateFault('write {{> name}} with the name of a part', place);
    }
    if (!this.parts.has(name.original))
      throw new TemplateFault(`there is no part "${name.original}" to insert`, place);
    this.inserted.add(name.original);
  }

  private call(
    { path, params, hash, loc }: Pick<hbs.AST.MustacheStatement, 'path' | 'params' | 'hash' | 'loc'>,
    at: At,
    always: boolean,
  ): void {
    const pairs = pairsOf(hash);
    const name = isType<hbs.AST.PathExpression>(path, 'PathExpression') ? path.original : '';
    if (always || params.length > 0 || pairs.length > 0) {
      if (!HELPER_NAMES.includes(name))
        throw new TemplateFault(`there is no helper "${name}"`, placeOf({ loc }));
      if (pairs.length > 0 && !NAMED_VALUES.includes(name)) {
        throw new TemplateFault(`"${name}" takes no named values`, placeOf({ loc }));
      }
    } else if (HELPER_NAMES.includes(name)) {
      throw new TemplateFault(
        `"${name}" is a helper: give it a value, or write this.${name} for a field`,
        placeOf({ loc }),
      );
    } else this.value(path, at);
    const inner = { ...at, nesting: at.nesting + 1 };
    for (const value of [...params, ...pairs.map((pair) => pair.value)]) this.value(value, inner);
  }

  private value(node: hbs.AST.Expression, at: At): void {
    if (at.nesting > MAX_NESTING) throw new TemplateFault('expressions are nested too deeply', placeOf(node));
    if (isType<hbs.AST.SubExpression>(node, 'SubExpression')) this.call(node, at, true);
    else if (isType<hbs.AST.PathExpression>(node, 'PathExpression')) this.path(node, at);
    else if (!node.type.endsWith('Literal')) {
      throw new TemplateFault('this kind of expression is not allowed', placeOf(node));
    }
  }

  private path(node: hbs.AST.PathExpression, { certain }: At): void {
    const names = node.parts.filter((part): part is string => typeof part === 'string');
    const [first, second] = names;
    const forbidden = names.find((name) => FORBIDDEN.includes(name));
    if (forbidden !== undefined) throw new TemplateFault(`"${forbidden}" is not a field`, placeOf(node));
    if (node.data) {
      if (first !== undefined && VARIABLES.includes(first) && names.length === 1) return;
      throw new TemplateFault(`"${node.original}" is not allowed`, placeOf(node));
    }
    if (first === 'link_url' || second === 'link_url') {
      throw new TemplateFault('the one-time link is inserted as {{> link_button}}', placeOf(node));
    }
    if (!certain || first === undefined) return;
    const field = first === 'data' && second !== undefined ? `data.${second}` : first;
    if (!this.fields.has(field)) throw new TemplateFault(`there is no field "${field}"`, placeOf(node));
  }
}
