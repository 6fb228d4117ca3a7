import { RequestError } from '../../client/rest.js';
import { type DueItem, type FieldName, type Kind, type NewItem, OWN_FIELDS } from './due-item-api.js';

const FIELDS: readonly FieldName[] = ['title', 'due_on', 'client_name', 'responsible_id'];
const LAST_FIELDS: readonly FieldName[] = ['external_id', 'description'];
/** The longest values, in characters. */
export const LENGTHS: Readonly<Partial<Record<FieldName, number>>> = {
  title: 300,
  client_name: 200,
  category: 50,
  reference: 100,
  currency: 3,
  external_id: 200,
  description: 5_000,
};
export const REQUIRED: readonly FieldName[] = ['title', 'due_on'];

/** The fields of a kind, in the order of the form. */
export function fieldsOf(kind: Kind): readonly FieldName[] {
  return [...FIELDS, ...OWN_FIELDS[kind], ...LAST_FIELDS];
}

/** What the server refused, by field. */
export function faultsOf(error: unknown): FieldName[] {
  if (!(error instanceof RequestError)) return [];
  if (error.code === 'conflict') return ['external_id'];
  const pointers = error.problem?.errors?.map(({ pointer }) => pointer.slice(1)) ?? [];
  const all = [...FIELDS, ...Object.values(OWN_FIELDS).flat(), ...LAST_FIELDS];
  return all.filter((field) => pointers.includes(field));
}

/** The fields of a form as the API takes them: an empty one is null. */
export function itemOf(kind: Kind, textOf: (field: FieldName) => string): NewItem {
  const optional = fieldsOf(kind).filter((field) => !REQUIRED.includes(field));
  const entries = optional.map((field): [string, string | number | null] => {
    const text = textOf(field).trim();
    // Anything but a number is sent as typed: the server names the field.
    if (field === 'amount_cents' && /^\d+$/.test(text)) return [field, Number(text)];
    return [field, text === '' ? null : text];
  });
  return { title: textOf('title'), due_on: textOf('due_on'), ...Object.fromEntries(entries) };
}

/** The fields that differ from the item: a colleague may have changed the others meanwhile. */
export function changesOf(kind: Kind, item: DueItem, textOf: (field: FieldName) => string): Partial<NewItem> {
  const edited = fieldsOf(kind).filter((field) => textOf(field) !== shownText(item, field));
  const isEdited = (name: string) => edited.some((field) => field === name);
  return Object.fromEntries(Object.entries(itemOf(kind, textOf)).filter(([name]) => isEdited(name)));
}

/** The value as a field of a form holds it, with line ends of its own. */
function shownText(item: DueItem, field: FieldName): string {
  return String(item[field] ?? '').replaceAll(/\r\n?/g, '\n');
}
