import { declarationOf } from '../../contracts/kind-lists.js';
import { isMessageTemplate } from '../named-message.js';
import { SAMPLE_DAY, SAMPLES } from '../samples.js';

/** A value that a template may print. */
export interface Field {
  /** `data.due_on`, `data.late[].lines[].title`: `[]` is a list, for `each`. */
  name: string;
  type: 'text' | 'date' | 'instant' | 'time' | 'number' | 'true_or_false' | 'list' | 'object';
  /** From the data that previews show; null if it is empty there. */
  example: string | number | boolean | null;
}

/** The values of every kind, besides its data. `title` and `body` are empty in those two parts themselves. */
const COMMON: Readonly<Record<string, unknown>> = {
  title: 'TVA CA3, due in 3 days',
  body: 'Due on Thursday, 6 November 2025',
  kind: 'deadline_near',
  severity: 'warning',
  created_at: '2025-11-03T08:00:00.000Z',
  today: SAMPLE_DAY,
  locale: 'fr',
  audience: 'responsible',
  author: { name: 'Bruno' },
  tenant: { name: 'Cabinet Durand', time_zone: 'Europe/Paris' },
  recipient: { name: 'Claire' },
  links: { item_url: 'https://app.example.com/deadline/7' },
};

const MAX_DEPTH = 6;
const DATA_FIELD = /(?<![\w.])data(?:\.\w+)+(?=[^{}]*\}\})/g;

/** The data of a sample notification; empty for a kind without one. */
export function sampleOf(kind: string): Record<string, unknown> {
  return Object.hasOwn(SAMPLES, kind) ? { ...SAMPLES[kind as keyof typeof SAMPLES] } : {};
}

/** Everything that a template of this kind may print, sorted as declared. */
export function fieldsOf(kind: string): Field[] {
  return [...listed(sampleOf(kind), 'data.', 0), ...listed(COMMON, '', 0)];
}

/** The same of a message template: the fields of the caller's data are those that its parts name. */
export function templateFields(sources: readonly string[]): Field[] {
  const names = sources.flatMap((source) => Array.from(source.matchAll(DATA_FIELD), ([name]) => name));
  const data = [...new Set(names)].sort().map((name): Field => ({ name, type: 'text', example: null }));
  return [...data, ...listed(COMMON, '', 0)];
}

/** The names at the top of a context, and `data.` with each field of the data: of a message template, any. */
export function fieldNames(kind: string): { has(field: string): boolean } {
  if (isMessageTemplate(kind)) {
    return { has: (field) => Object.hasOwn(COMMON, field) || field === 'data' || field.startsWith('data.') };
  }
  const fields = Object.keys(sampleOf(kind));
  // Other fields of what a program wrote are at top level as well, but their names are the caller's.
  return new Set([...Object.keys(COMMON), 'data', ...fields, ...fields.map((field) => `data.${field}`)]);
}

/** The link of a mail that has one, as previews show it. */
export function sampleLink(kind: string): string | null {
  return declarationOf(kind)?.link === true ? 'https://app.example.com/password#sample' : null;
}

function listed(values: object, prefix: string, depth: number): Field[] {
  if (depth > MAX_DEPTH) return [];
  return Object.entries(values).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    const field = fieldOf(name, value);
    if (Array.isArray(value)) {
      const [first] = value as unknown[];
      return [field, ...(isObject(first) ? listed(first, `${name}[].`, depth + 1) : [])];
    }
    return isObject(value) ? [field, ...listed(value, `${name}.`, depth + 1)] : [field];
  });
}

function fieldOf(name: string, value: unknown): Field {
  if (Array.isArray(value)) return { name, type: 'list', example: null };
  switch (typeof value) {
    case 'number':
      return { name, type: 'number', example: value };
    case 'boolean':
      return { name, type: 'true_or_false', example: value };
    case 'string':
      return { name, type: typeOf(value), example: value };
    default:
      return { name, type: isObject(value) ? 'object' : 'text', example: null };
  }
}

function typeOf(text: string): Field['type'] {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return 'date';
  if (/^\d{4}-\d{2}-\d{2}T/.test(text)) return 'instant';
  return /^\d{2}:\d{2}$/.test(text) ? 'time' : 'text';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
