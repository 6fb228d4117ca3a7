import type { Severity } from '../../contracts/severities.js';
import type { AlertView } from './alerts.dto.js';

/** An alert's row in its table: its title is rendered when it is shown. */
export type AlertRow = Omit<AlertView, 'title' | 'severity'> & {
  severity: Severity;
  data: Record<string, unknown>;
};

/** The columns of an `AlertRow`. @param a the alert's alias */
export function alertColumns(a: string): string {
  const columns = `id, kind, severity, source_type, source_id, dedupe_key, stage, data, state, occurrences,
    first_seen_at, last_seen_at, gone_at, resolved_at, resolved_by, acknowledged_at, snoozed_until`;
  return `${columns.replaceAll(/\w+/g, `${a}.$&`)},
    (SELECT u.name FROM users u WHERE u.tenant_id = ${a}.tenant_id AND u.id = ${a}.acknowledged_by)
      AS acknowledged_by`;
}
