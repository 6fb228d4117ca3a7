import { Injectable, type OnModuleInit } from '@nestjs/common';
import { WatchedKinds } from '../notifications/alerts/watched.js';
import { dueDataSql, dueFactsSql, type DueTable, summarySql } from '../due-items/due-items.sql.js';

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
  ended: 'received',
};

/** Documents that are still missing. */
const FACTS = dueFactsSql(DOCUMENTS, {
  source_type: 'document',
  severity: `CASE WHEN days_left < 0 THEN 'warning' ELSE 'info' END`,
});

export const DOCUMENTS_SUMMARY = summarySql(DOCUMENTS);

@Injectable()
export class DocumentFacts implements OnModuleInit {
  constructor(private readonly watched: WatchedKinds) {}

  onModuleInit(): void {
    this.watched.register({
      kind: 'documents_missing',
      source_type: 'document',
      factsSql: FACTS,
      dataSql: dueDataSql('document'),
      stages: (settings) => settings.stages.documents,
    });
  }
}
