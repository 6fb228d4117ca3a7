import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createArchives } from '../schema/archives.js';
import { createAudit } from '../schema/audit.js';
import { createBackups } from '../schema/backups.js';
import { createDeliveries } from '../schema/deliveries.js';
import { createDevices } from '../schema/devices.js';
import { createErasures } from '../schema/erasures.js';
import { createImports } from '../schema/imports.js';
import { createNotifications } from '../schema/notifications.js';
import { createPeople } from '../schema/people.js';
import { createProviderEvents } from '../schema/provider-events.js';
import { createReminders } from '../schema/reminders.js';
import { createRuns } from '../schema/runs.js';
import { createWatchedItems } from '../schema/watched.js';
import { createWebhooks } from '../schema/webhooks.js';

/** The schema of the first release, one file per subject. */
export class Schema1700000000001 implements MigrationInterface {
  name = 'Schema1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await createPeople(runner);
    await createAudit(runner);
    await createWatchedItems(runner);
    await createImports(runner);
    await createNotifications(runner);
    await createReminders(runner);
    await createDevices(runner);
    await createDeliveries(runner);
    await createProviderEvents(runner);
    await createWebhooks(runner);
    await createRuns(runner);
    await createBackups(runner);
    await createArchives(runner);
    await createErasures(runner);
    // A process without the owner's login compares its version with the schema's.
    await runner.query('GRANT SELECT ON migrations TO vigie_system');
  }

  async down(): Promise<void> {
    // There are no down migrations.
  }
}
