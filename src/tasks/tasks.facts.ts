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
    tasks_overdue: {
      task_id: string;
      title: string;
      description: string | null;
      client_name: string | null;
      due_on: string;
    };
  }
}

export const TASKS: DueTable = {
  table: 'tasks',
  endedAt: 'completed_at',
  open: 'open',
  late: 'overdue',
};
const late = daysSql('-days_left');

/** Tasks whose day has passed: their stages are all negative. */
const FACTS = `
  SELECT id AS source_id,
         'task:' || id || ':' || to_char(due_on, 'YYYY-MM-DD') AS dedupe_key,
         stage,
         'warning' AS severity,
         responsible_id,
         jsonb_build_object('fr', 'Tâche en retard de ' || ${late.fr} || ' : ' || title,
                            'en', 'Task overdue by ' || ${late.en} || ': ' || title) AS title,
         ${dueBodySql({ fr: 'À terminer pour le', en: 'Was due on' })} AS body,
         jsonb_build_object('task_id', id, 'title', title, 'client_name', client_name,
                            'due_on', due_on, 'days_late', -days_left) AS data
  FROM (${reachedSql(TASKS)}) task`;

export const TASKS_SUMMARY = summarySql(TASKS);

@Injectable()
export class TaskFacts implements OnModuleInit {
  constructor(private readonly watched: WatchedKinds) {}

  onModuleInit(): void {
    this.watched.register({
      kind: 'tasks_overdue',
      source_type: 'task',
      factsSql: FACTS,
      stages: (settings) => settings.stages.tasks,
      overdueSql: overdueSql(TASKS),
    });
  }
}
