import Handlebars from 'handlebars';
import { TEMPLATE_HELPERS } from '../helpers.js';
import type { LocaleFormats } from '../locale-formats.js';
import type { DataCheck } from './data-check.js';
import type { Expression, Program, Step } from './program.js';
import { TemplateFault } from './template-fault.js';

/**
 * What one rendering may cost. An operation is a step, an expression, or a unit of a helper's work. The largest
 * built-in mail, of 200 databases, takes a third of these.
 */
export const MAX_OPERATIONS = 120_000;
/** Characters. */
export const MAX_OUTPUT = 200_000;

/** Characters of a text that a helper reads in one operation. */
const CHARACTERS_PER_OPERATION = 20;
/** Operations of one call, for helpers that take longer than a few steps: an operation takes about 0.1 µs. */
const HELPER_COSTS: Readonly<Record<string, number>> = {
  instant: 150,
  clock: 150,
  date: 40,
  bytes: 20,
  plural: 20,
  list: 40,
  http_url: 30,
  pieces: 40,
  by_lateness: 50,
  by_agent: 50,
};
const HELPER_COST = 5;
/** Operations of one item of a list that a helper reads, groups or returns. */
const ITEM_COST = 10;

export interface Settings {
  formats: LocaleFormats;
  /** Escape printed values: for HTML. */
  escape: boolean;
  /** Values of `@names` that only built-in parts may print. */
  secrets: Readonly<Record<string, unknown>>;
  /** Reports data that the template needs and does not get, instead of printing nothing. */
  data_check?: DataCheck;
}

/** Where a step is: what it calls `this`, `../`, `@index` and its named values. */
interface Scope {
  value: unknown;
  parent: Scope | null;
  /** `@index` and the like of the innermost loop. */
  loop: Readonly<Record<string, unknown>>;
  locals: ReadonlyMap<string, unknown>;
  /** JSON pointer of `value`; null if unknown. */
  pointer: string | null;
}

const NOTHING: Readonly<Record<string, unknown>> = {};
const NO_LOCALS: ReadonlyMap<string, unknown> = new Map();

/**
 * Renders a program. It reads own properties only, and nothing but the context, `secrets` and what helpers return.
 * @throws TemplateFault for one that takes more than `MAX_OPERATIONS` or writes more than `MAX_OUTPUT`.
 */
export function interpret(program: Program, context: object, settings: Settings): string {
  return new Interpreter(context, settings).render(program);
}

class Interpreter {
  private operations = 0;
  private length = 0;
  private readonly pieces: string[] = [];

  constructor(
    private readonly root: object,
    private readonly settings: Settings,
  ) {}

  render(program: Program): string {
    this.run(program, { value: this.root, parent: null, loop: NOTHING, locals: NO_LOCALS, pointer: '' });
    return this.pieces.join('');
  }

  private run(program: Program, scope: Scope): void {
    for (const step of program) this.step(step, scope);
  }

  private step(step: Step, scope: Scope): void {
    this.spend(1);
    if (step.type === 'text') this.write(step.value);
    else if (step.type === 'print') {
      const value = this.valueOf(step.value, scope);
      this.settings.data_check?.printed(pointerOf(step.value, scope), value);
      this.print(value);
    } else if (step.type === 'each') this.each(step, scope);
    else {
      const isMet = isTrue(this.tested(step.test, scope)) !== step.negated;
      this.run(isMet ? step.body : step.otherwise, scope);
    }
  }

  private each({ items, names, body, otherwise }: Extract<Step, { type: 'each' }>, scope: Scope): void {
    const value = this.valueOf(items, scope);
    const pointer = pointerOf(items, scope);
    this.settings.data_check?.listed(pointer, value);
    const entries: [string | number, unknown][] = Array.isArray(value)
      ? value.map((item, index) => [index, item])
      : typeof value === 'object' && value !== null
        ? Object.entries(value)
        : [];
    this.spend(entries.length);
    const last = entries.length - 1;
    entries.forEach(([key, item], index) => {
      const loop = { index, key, first: index === 0, last: index === last };
      const locals = names.length === 0 ? scope.locals : localsOf(scope, names, [item, key]);
      // As in Handlebars: `../` skips a level whose value is the same.
      const parent = item === scope.value ? scope.parent : scope;
      this.run(body, { value: item, parent, loop, locals, pointer: pointer && `${pointer}/${key}` });
    });
    if (entries.length === 0) this.run(otherwise, scope);
  }

  private valueOf(expression: Expression, scope: Scope): unknown {
    this.spend(1);
    switch (expression.type) {
      case 'literal':
        return expression.value;
      case 'variable':
        return this.variable(expression.name, scope);
      case 'path':
        return pathValue(expression, scope);
      case 'call':
        return this.call(expression, scope);
    }
  }

  /** A condition may ask for data that is not there. */
  private tested(expression: Expression, scope: Scope): unknown {
    const { data_check } = this.settings;
    return data_check === undefined
      ? this.valueOf(expression, scope)
      : data_check.unchecked(() => this.valueOf(expression, scope));
  }

  private variable(name: string, { loop }: Scope): unknown {
    if (name === 'root') return this.root;
    return Object.hasOwn(loop, name) ? loop[name] : own(this.settings.secrets, name);
  }

  private call({ helper, args, named }: Extract<Expression, { type: 'call' }>, scope: Scope): unknown {
    const values = args.map((arg) => this.valueOf(arg, scope));
    const hash = Object.fromEntries(named.map(([name, value]) => [name, this.valueOf(value, scope)]));
    for (const value of values) this.spend(costOf(value));
    this.spend(HELPER_COSTS[helper] ?? HELPER_COST);
    const run = TEMPLATE_HELPERS[helper];
    if (run === undefined || !Object.hasOwn(TEMPLATE_HELPERS, helper)) return undefined;
    const result = run(...values, { data: { formats: this.settings.formats, root: this.root }, hash });
    this.spend(costOf(result));
    this.settings.data_check?.passed(
      helper,
      args.map((arg, place) => ({ pointer: pointerOf(arg, scope), value: values[place] })),
      result,
    );
    return result;
  }

  private print(value: unknown): void {
    // Lists and objects have no text.
    if (!['string', 'number', 'boolean'].includes(typeof value)) return;
    const text = String(value);
    this.write(this.settings.escape ? Handlebars.escapeExpression(text) : text);
  }

  private write(text: string): void {
    this.length += text.length;
    if (this.length > MAX_OUTPUT) throw new TemplateFault(`it writes more than ${MAX_OUTPUT} characters`);
    this.pieces.push(text);
  }

  private spend(operations: number): void {
    this.operations += operations;
    if (this.operations > MAX_OPERATIONS) {
      throw new TemplateFault(`it takes more than ${MAX_OPERATIONS} operations: print shorter lists`);
    }
  }
}

function localsOf(
  scope: Scope,
  names: readonly string[],
  values: readonly unknown[],
): ReadonlyMap<string, unknown> {
  return new Map([...scope.locals, ...names.map((name, place) => [name, values[place]] as const)]);
}

function pathValue(path: Extract<Expression, { type: 'path' }>, scope: Scope): unknown {
  const [name, ...rest] = path.names;
  if (path.may_be_local && name !== undefined && scope.locals.has(name)) {
    return rest.reduce<unknown>(own, scope.locals.get(name));
  }
  let at: Scope | null = scope;
  for (let up = 0; up < path.steps_up; up++) at = at?.parent ?? null;
  return path.names.reduce<unknown>(own, at?.value);
}

/** Where in the context a path points; null if unknown. */
function pointerOf(expression: Expression, scope: Scope): string | null {
  if (expression.type !== 'path') return null;
  const [name = ''] = expression.names;
  if (expression.may_be_local && scope.locals.has(name)) return null;
  let at: Scope | null = scope;
  for (let up = 0; up < expression.steps_up; up++) at = at?.parent ?? null;
  if (at === null || at.pointer === null) return null;
  // RFC 6901 §3
  const names = expression.names.map((each) => each.replaceAll('~', '~0').replaceAll('/', '~1'));
  return [at.pointer, ...names].join('/');
}

/** An own property of an object, a list or a text. */
function own(value: unknown, name: string): unknown {
  if (value === null || value === undefined) return undefined;
  const holder = Object(value) as Record<string, unknown>;
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

/** As Handlebars: 0, an empty text and an empty list are false. */
function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function costOf(value: unknown): number {
  if (typeof value === 'string') return Math.ceil(value.length / CHARACTERS_PER_OPERATION);
  return Array.isArray(value) ? value.length * ITEM_COST : 0;
}
