import { Injectable, type OnModuleInit } from '@nestjs/common';
import { WatchedKinds } from '../notifications/alerts/watched.js';
import {
  dueDataSql,
  dueFactsSql,
  type DueTable,
  overdueSql,
  summarySql,
} from '../due-items/due-items.sql.js';

declare module '../contracts/kinds.js' {
  interface NotificationData {
    deadline_near: {
      deadline_id: string;
      title: string;
      description: string | null;
      category: string | null;
      client_name: string | null;
      due_on: string;
    };
  }
}

export const DEADLINES: DueTable = {
  table: 'deadlines',
  endedAt: 'completed_at',
  open: 'pending',
  late: 'overdue',
  ended: 'done',
};

/** Deadlines that are near or overdue. */
const FACTS = dueFactsSql(DEADLINES, {
  source_type: 'deadline',
  severity: `CASE WHEN days_left <= 1 THEN 'warning' ELSE 'info' END`,
  own: ['category'],
});

export const DEADLINES_SUMMARY = summarySql(DEADLINES);

@Injectable()
export class DeadlineFacts implements OnModuleInit {
  constructor(private readonly watched: WatchedKinds) {}

  onModuleInit(): void {
    this.watched.register({
      kind: 'deadline_near',
      source_type: 'deadline',
      factsSql: FACTS,
      dataSql: dueDataSql('deadline', ['category']),
      stages: (settings) => settings.stages.deadlines,
      overdueSql: overdueSql(DEADLINES),
    });
  }
}
