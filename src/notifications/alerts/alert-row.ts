import type { Severity } from '../../contracts/severities.js';
import type { AlertView } from './alerts.dto.js';

/** An alert's row in its table: its title is rendered when it is shown. */
export type AlertRow = Omit<AlertView, 'title' | 'severity' | 'state'> & {
  severity: Severity;
  state: 'open' | 'resolved';
  data: Record<string, unknown>;
};

/** The columns of an `AlertRow`. @param a the alert's alias */
export function alertColumns(a: string): string {
  const columns = `id, kind, severity, source_type, source_id, dedupe_key, stage, data, state, occurrences,
    first_seen_at, last_seen_at, gone_at, resolved_at, acknowledged_at, snoozed_until`;
  const name = (column: string) =>
    `(SELECT u.name FROM users u WHERE u.tenant_id = ${a}.tenant_id AND u.id = ${a}.${column}) AS ${column}`;
  return `${columns.replaceAll(/\w+/g, `${a}.$&`)}, ${name('resolved_by')}, ${name('acknowledged_by')}`;
}
