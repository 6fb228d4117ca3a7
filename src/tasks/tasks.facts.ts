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
  ended: 'done',
};

/** Overdue tasks: their stages are all negative. */
const FACTS = dueFactsSql(TASKS, {
  source_type: 'task',
  severity: `'warning'`,
});

export const TASKS_SUMMARY = summarySql(TASKS);

@Injectable()
export class TaskFacts implements OnModuleInit {
  constructor(private readonly watched: WatchedKinds) {}

  onModuleInit(): void {
    this.watched.register({
      kind: 'tasks_overdue',
      source_type: 'task',
      factsSql: FACTS,
      dataSql: dueDataSql('task'),
      stages: (settings) => settings.stages.tasks,
      overdueSql: overdueSql(TASKS),
    });
  }
}
