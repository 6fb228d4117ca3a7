import { IsOptional, ValidateBy } from 'class-validator';
import type { DueItem } from './due-item.js';
import type { DueItemFilter, NewDueItem } from './due-item.dto.js';
import type { DueItemKind } from './due-item-kind.js';
import { FIRST_YEAR, LAST_YEAR } from '../platform/http/civil-date.js';
import { EmailAddress } from '../platform/http/email-address.js';
import { comparable } from '../platform/text/normalized.js';
import { dueItemApplySql, dueItemCompareSql } from './due-item-apply.sql.js';
import { type Applied, columnNames, type Compared, type ImportKind } from '../imports/import-kind.js';

/** Column names of every kind, besides the field's own. */
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
  external_id: ['id_externe', 'reference', 'ref', 'identifiant', 'numero', 'no', 'n'],
};

/** Files of one kind of due items. */
export function dueItemFiles<Item extends DueItem, Filter extends DueItemFilter>(
  kind: DueItemKind<Item, Filter>,
): ImportKind {
  const statement = dueItemApplySql(kind);
  const comparison = dueItemCompareSql(kind);
  return {
    name: kind.name,
    source_type: kind.source_type,
    row: importedRow(kind.newItem),
    required: ['title', 'due_on'],
    columns: columnNames(NAMES, kind.columnNames),
    ambiguous: new Map([['nom', ['title', 'client_name']]]),
    cells: {
      due_on: {
        read: isoDate,
        takes: `a day that exists, from ${FIRST_YEAR} to ${LAST_YEAR}, written DD/MM/YYYY (also with . or -) or YYYY-MM-DD, without a time`,
      },
      ...kind.cells,
    },
    lists: [],
    land: async (tx, { import_id, today, now }) => {
      const applied = await tx.one<Applied>(statement, [tx.tenant_id, import_id, today, now]);
      if (applied === null) throw new Error('applying returned nothing');
      return applied;
    },
    compare: async (tx, importId) => {
      const compared = await tx.one<Compared>(comparison, [tx.tenant_id, importId]);
      if (compared === null) throw new Error('comparing returned nothing');
      return compared;
    },
  };
}

/** The fields of the JSON endpoint, plus the responsible user by e-mail. */
function importedRow(base: new () => NewDueItem): new () => NewDueItem {
  class Row extends base {
    @IsOptional()
    @EmailAddress()
    responsible_email?: string | null;
  }
  // Called as a function: redeclaring the field would overwrite it.
  OneResponsible()(Row.prototype, 'responsible_id');
  return Row;
}

function OneResponsible(): PropertyDecorator {
  return ValidateBy({
    name: 'oneResponsible',
    validator: {
      validate: (id: unknown, args) => id == null || !hasEmail(args?.object),
      defaultMessage: () => 'give the responsible by id or by e-mail, not both',
    },
  });
}

function hasEmail(row: object | undefined): boolean {
  return row !== undefined && 'responsible_email' in row && row.responsible_email != null;
}

/** Converts a French date, optionally followed by midnight, to ours; returns other text unchanged. */
function isoDate(cell: string): string {
  const written = comparable(cell).replace(/[ T]00:00(:00)?$/, '');
  const [, day, month, year] = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/.exec(written) ?? [];
  if (day === undefined || month === undefined || year === undefined) return written;
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}
