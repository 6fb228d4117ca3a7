import { Injectable, type OnModuleInit } from '@nestjs/common';
import { WatchedKinds } from '../notifications/alerts/watched.js';
import { daysSql, type DueTable, dueBodySql, reachedSql, summarySql } from '../due-items/due-items.sql.js';

declare module '../contracts/kinds.js' {
  interface NotificationData {
    documents_missing: {
      document_id: string;
      title: string;
      description: string | null;
      client_name: string | null;
      due_on: string;
    };
  }
}

export const DOCUMENTS: DueTable = {
  table: 'document_requests',
  endedAt: 'received_at',
  open: 'missing',
  late: 'missing',
};
const late = daysSql('-days_left');

/** Documents that are still missing. */
const FACTS = `
  SELECT id AS source_id,
         'document:' || id || ':' || to_char(due_on, 'YYYY-MM-DD') AS dedupe_key,
         stage,
         CASE WHEN days_left < 0 THEN 'warning' ELSE 'info' END AS severity,
         responsible_id,
         jsonb_build_object(
           'fr', CASE WHEN days_left >= 0 THEN 'Document attendu'
                      ELSE 'Document attendu depuis ' || ${late.fr} END || ' : ' || title,
           'en', CASE WHEN days_left >= 0 THEN 'Document expected'
                      ELSE 'Document overdue by ' || ${late.en} END || ': ' || title) AS title,
         ${dueBodySql({ fr: 'Attendu le', en: 'Expected on' })} AS body,
         jsonb_build_object('document_id', id, 'title', title, 'client_name', client_name,
                            'due_on', due_on, 'days_late', -days_left) AS data
  FROM (${reachedSql(DOCUMENTS)}) document`;

export const DOCUMENTS_SUMMARY = summarySql(DOCUMENTS);

@Injectable()
export class DocumentFacts implements OnModuleInit {
  constructor(private readonly watched: WatchedKinds) {}

  onModuleInit(): void {
    this.watched.register({
      kind: 'documents_missing',
      source_type: 'document',
      factsSql: FACTS,
      stages: (settings) => settings.stages.documents,
    });
  }
}
