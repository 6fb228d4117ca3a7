import { Injectable, type OnModuleInit } from '@nestjs/common';
import { WatchedKinds } from '../notifications/alerts/watched.js';
import {
  daysSql,
  type DueTable,
  dueBodySql,
  overdueSql,
  reachedSql,
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
};
const left = daysSql('days_left');
const late = daysSql('-days_left');

/** Deadlines that are near or have passed. */
const FACTS = `
  SELECT id AS source_id,
         'deadline:' || id || ':' || to_char(due_on, 'YYYY-MM-DD') AS dedupe_key,
         stage,
         CASE WHEN days_left <= 1 THEN 'warning' ELSE 'info' END AS severity,
         responsible_id,
         jsonb_build_object(
           'fr', CASE WHEN days_left > 1 THEN 'Échéance dans ' || ${left.fr}
                      WHEN days_left = 1 THEN 'Échéance demain'
                      WHEN days_left = 0 THEN 'Échéance aujourd''hui'
                      ELSE 'Échéance dépassée de ' || ${late.fr} END || ' : ' || title,
           'en', CASE WHEN days_left > 1 THEN 'Due in ' || ${left.en}
                      WHEN days_left = 1 THEN 'Due tomorrow'
                      WHEN days_left = 0 THEN 'Due today'
                      ELSE 'Overdue by ' || ${late.en} END || ': ' || title) AS title,
         ${dueBodySql({ fr: 'Date limite :', en: 'Due date:' })} AS body,
         jsonb_build_object('deadline_id', id, 'title', title, 'category', category, 'client_name', client_name,
                            'due_on', due_on, 'days_left', days_left) AS data
  FROM (${reachedSql(DEADLINES)}) deadline`;

export const DEADLINES_SUMMARY = summarySql(DEADLINES);

@Injectable()
export class DeadlineFacts implements OnModuleInit {
  constructor(private readonly watched: WatchedKinds) {}

  onModuleInit(): void {
    this.watched.register({
      kind: 'deadline_near',
      source_type: 'deadline',
      factsSql: FACTS,
      stages: (settings) => settings.stages.deadlines,
      overdueSql: overdueSql(DEADLINES),
    });
  }
}
