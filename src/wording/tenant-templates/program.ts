import Handlebars from 'handlebars';
import { TEMPLATE_HELPERS } from '../helpers.js';
import { faultOf } from '../template-error.js';
import { MAX_NESTING } from './delimiters.js';
import { type Place, TemplateFault } from './template-fault.js';

/** A tenant's template as data: it is interpreted, never compiled to code. */
export type Program = readonly Step[];

export type Step =
  | { type: 'text'; value: string }
  | { type: 'print'; value: Expression }
  | { type: 'if'; test: Expression; negated: boolean; body: Program; otherwise: Program }
  | { type: 'each'; items: Expression; names: readonly string[]; body: Program; otherwise: Program };

export type Expression =
  | { type: 'literal'; value: string | number | boolean | null | undefined }
  /** `steps_up`: the number of `../`. */
  | { type: 'path'; steps_up: number; names: readonly string[]; may_be_local: boolean }
  /** `@index` and the like. */
  | { type: 'variable'; name: string }
  | { type: 'call'; helper: string; args: readonly Expression[]; named: readonly [string, Expression][] };

/** The helpers of a template besides `if`, `unless` and `each`. */
export const HELPER_NAMES: readonly string[] = Object.keys(TEMPLATE_HELPERS);

/** @throws TemplateFault with the place, for a source that is not Handlebars. */
export function parseTemplate(source: string): hbs.AST.Program {
  try {
    return Handlebars.parse(source);
  } catch (error) {
    throw parseFault(source, error);
  }
}

/**
 * Turns the syntax tree of a source without partials into a program. Anything that is not listed here is a fault.
 * @throws TemplateFault
 */
export function programOf(tree: hbs.AST.Program): Program {
  return stepsOf(tree, [], 0);
}

function stepsOf(program: hbs.AST.Program | undefined, scope: readonly string[], nesting: number): Program {
  if (program === undefined) return [];
  return program.body.flatMap((statement) => stepOf(statement, scope, nesting));
}

function stepOf(statement: hbs.AST.Statement, scope: readonly string[], nesting: number): Step[] {
  if (nesting > MAX_NESTING) throw new TemplateFault('blocks are nested too deeply', placeOf(statement));
  if (isType<hbs.AST.ContentStatement>(statement, 'ContentStatement')) {
    return statement.value === '' ? [] : [{ type: 'text', value: statement.value }];
  }
  if (isType<hbs.AST.CommentStatement>(statement, 'CommentStatement')) return [];
  if (isType<hbs.AST.MustacheStatement>(statement, 'MustacheStatement')) {
    return [{ type: 'print', value: callOf(statement, scope, nesting) }];
  }
  if (isType<hbs.AST.BlockStatement>(statement, 'BlockStatement')) {
    return [blockOf(statement, scope, nesting + 1)];
  }
  throw new TemplateFault('this kind of expression is not allowed', placeOf(statement));
}

function blockOf(block: hbs.AST.BlockStatement, scope: readonly string[], nesting: number): Step {
  const name = block.path.original;
  const [argument, ...others] = block.params;
  if (argument === undefined || others.length > 0 || pairsOf(block.hash).length > 0) {
    throw new TemplateFault(`"${name}" takes one argument`, placeOf(block));
  }
  const value = expressionOf(argument, scope, nesting);
  const otherwise = stepsOf(block.inverse, scope, nesting);
  if (name === 'each') {
    const names = blockParams(block.program);
    return {
      type: 'each',
      items: value,
      names,
      body: stepsOf(block.program, [...scope, ...names], nesting),
      otherwise,
    };
  }
  if (name === 'if' || name === 'unless') {
    return {
      type: 'if',
      test: value,
      negated: name === 'unless',
      body: stepsOf(block.program, scope, nesting),
      otherwise,
    };
  }
  throw new TemplateFault(`"${name}" is not a block: use if, unless or each`, placeOf(block));
}

/** `{{name}}`, `{{helper a b}}` or `(helper a b)`. A helper's name without arguments is a call, as in Handlebars. */
function callOf(
  { path, params, hash, loc }: Pick<hbs.AST.MustacheStatement, 'path' | 'params' | 'hash' | 'loc'>,
  scope: readonly string[],
  nesting: number,
): Expression {
  const named = pairsOf(hash);
  const name = isType<hbs.AST.PathExpression>(path, 'PathExpression') ? path.original : null;
  const isHelper = name !== null && HELPER_NAMES.includes(name) && !scope.includes(name);
  if (!isHelper) {
    if (params.length === 0 && named.length === 0) return expressionOf(path, scope, nesting);
    throw new TemplateFault(
      `there is no helper "${path.type === 'PathExpression' ? name : ''}"`,
      placeOf({ loc }),
    );
  }
  return {
    type: 'call',
    helper: name,
    args: params.map((param) => expressionOf(param, scope, nesting + 1)),
    named: named.map(({ key, value }) => [key, expressionOf(value, scope, nesting + 1)]),
  };
}

function expressionOf(node: hbs.AST.Expression, scope: readonly string[], nesting: number): Expression {
  if (nesting > MAX_NESTING) throw new TemplateFault('expressions are nested too deeply', placeOf(node));
  if (isType<hbs.AST.SubExpression>(node, 'SubExpression')) {
    const call = callOf(node, scope, nesting);
    if (call.type !== 'call') throw new TemplateFault('there is no such helper', placeOf(node));
    return call;
  }
  if (isType<hbs.AST.PathExpression>(node, 'PathExpression')) return pathOf(node);
  if (isType<hbs.AST.StringLiteral>(node, 'StringLiteral')) return { type: 'literal', value: node.value };
  if (isType<hbs.AST.NumberLiteral>(node, 'NumberLiteral')) return { type: 'literal', value: node.value };
  if (isType<hbs.AST.BooleanLiteral>(node, 'BooleanLiteral')) return { type: 'literal', value: node.value };
  if (node.type === 'NullLiteral') return { type: 'literal', value: null };
  if (node.type === 'UndefinedLiteral') return { type: 'literal', value: undefined };
  throw new TemplateFault('this kind of expression is not allowed', placeOf(node));
}

function pathOf(node: hbs.AST.PathExpression): Expression {
  const names = node.parts.filter((part): part is string => typeof part === 'string');
  if (node.data) {
    const [name, ...rest] = names;
    if (name === undefined || rest.length > 0 || node.depth > 0) {
      throw new TemplateFault(`${node.original} is not allowed`, placeOf(node));
    }
    return { type: 'variable', name };
  }
  const scoped = /^\.|this\b/.test(node.original);
  return { type: 'path', steps_up: node.depth, names, may_be_local: !scoped && node.depth === 0 };
}

function blockParams(program: hbs.AST.Program | undefined): readonly string[] {
  // The types are inaccurate: there may be none.
  return (program as { blockParams?: string[] } | undefined)?.blockParams?.slice(0, 2) ?? [];
}

export function pairsOf(hash: hbs.AST.Hash | undefined): readonly hbs.AST.HashPair[] {
  return hash?.pairs ?? [];
}

/** The types of `@types/handlebars` do not tell nodes apart. */
export function isType<Node extends hbs.AST.Node>(node: hbs.AST.Node, type: string): node is Node {
  return node.type === type;
}

export function placeOf({ loc }: Pick<hbs.AST.Node, 'loc'>): Place {
  return { line: loc.start.line, column: loc.start.column + 1 };
}

const EXCERPT = 20;

/** The parser reports the line, and the column only as a mark under an excerpt. */
function parseFault(source: string, error: unknown): TemplateFault {
  const fault = faultOf(error);
  const [, reported] = /^(?:Parse|Lexical) error on line (\d+)/.exec(fault) ?? [];
  if (reported === undefined) {
    // Handlebars' own checks name the place at the end: "if doesn't match each - 3:5".
    const [, text = fault, line, column] = /^([\s\S]*) - (\d+):(\d+)$/.exec(fault) ?? [];
    const known = line === undefined ? null : { line: Number(line), column: Number(column) + 1 };
    return new TemplateFault(text, known);
  }
  const [, excerpt = '', marker = '', reason = 'it is not a template'] = fault.split('\n');
  const line = Number(reported);
  return new TemplateFault(reason, {
    line,
    column: columnOf(source, line, excerpt.slice(0, marker.indexOf('^'))),
  });
}

/** @param before the end of what the parser had read, without line feeds, perhaps after "..." */
function columnOf(source: string, line: number, before: string): number {
  const text = source.split('\n')[line - 1] ?? '';
  const end = before.slice(-EXCERPT);
  // The excerpt may begin in an earlier line: use as much of its end as is in this one.
  for (let length = end.length; length > 0; length--) {
    const found = text.indexOf(end.slice(-length));
    if (found >= 0) return found + length + 1;
  }
  return 1;
}
