import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people and programs send: found again by who created it, counted by who sent it past the queue. */
export class Messages1700000000005 implements MigrationInterface {
  name = 'Messages1700000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Who sent it in a request of theirs, past the queue; null for what the dispatcher admits.
      ALTER TABLE deliveries ADD COLUMN direct_by text;
      -- A caller's own usage, for the limits of direct calls.
      CREATE INDEX deliveries_direct ON deliveries (tenant_id, direct_by, channel, admitted_at)
        WHERE direct_by IS NOT NULL;
      -- What a tenant's statistics count.
      CREATE INDEX deliveries_ended ON deliveries (tenant_id, channel, state, ended_at)
        WHERE ended_at IS NOT NULL;
      CREATE INDEX notifications_created ON notifications (tenant_id, created_by, created_at DESC, id DESC)
        WHERE created_by IS NOT NULL;
    `);
  }

  async down(): Promise<void> {
    // Migrations only go forward.
  }
}
