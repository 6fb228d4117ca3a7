import { IsOptional } from 'class-validator';
import type { NewDueItem } from '../due-items/due-item.dto.js';
import type { DueTable } from '../due-items/due-items.sql.js';
import { EmailAddress } from '../platform/http/email-address.js';

export const IMPORT_KINDS = ['deadlines', 'documents', 'tasks'] as const;
export type ImportKindName = (typeof IMPORT_KINDS)[number];

/** A line of a file: what the JSON endpoint takes, and the responsible user by e-mail. */
export interface ImportedRow extends NewDueItem {
  responsible_email?: string | null;
}

/** What a room says of its files. */
export interface ImportKind {
  name: ImportKindName;
  due: DueTable;
  /** As in the alerts about its items. */
  source_type: string;
  row: new () => ImportedRow;
  /** Fields of the room that not every due item has; they may be null. */
  own: readonly string[];
  /** Names of columns, as `normalisedName` writes them, and the field that each is. */
  columns: ReadonlyMap<string, string>;
}

/** What every line has to say. */
export const REQUIRED: readonly string[] = ['title', 'due_on'];

/** Names that the columns of every kind may have, besides the field's own. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  title: ['titre', 'intitule', 'libelle', 'objet'],
  due_on: ['due_date', 'date', 'echeance', 'date_echeance', 'date_d_echeance', 'date_limite', 'pour_le'],
  client_name: ['client', 'nom_client', 'nom_du_client', 'dossier', 'societe'],
  description: ['details', 'detail', 'commentaire', 'commentaires', 'remarque', 'remarques', 'notes'],
  responsible_id: ['id_responsable'],
  responsible_email: [
    'responsable',
    'responsible',
    'email_responsable',
    'e_mail_responsable',
    'email_du_responsable',
    'e_mail_du_responsable',
    'responsable_email',
    'responsable_e_mail',
    'collaborateur',
  ],
  external_id: ['id_externe', 'reference', 'ref', 'identifiant'],
};

/** @param names the kind's own names of columns, by field */
export function columnNames(names: Readonly<Record<string, readonly string[]>> = {}): Map<string, string> {
  const columns = new Map<string, string>();
  for (const table of [NAMES, names]) {
    for (const [field, others] of Object.entries(table)) {
      for (const name of [field, ...others]) columns.set(name, field);
    }
  }
  return columns;
}

/** A line of a file of this kind, by the rules of what the JSON endpoint takes. */
export function importedRow(base: new () => NewDueItem): new () => ImportedRow {
  class Row extends base {
    @IsOptional()
    @EmailAddress()
    responsible_email?: string | null;
  }
  return Row;
}
