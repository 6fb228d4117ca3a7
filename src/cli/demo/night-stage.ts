import type { Api } from './api.js';
import type { BackupFolders } from './backup-folders.js';
import type { Listener } from './listener.js';
import type { MailCatcher } from './mail-catcher.js';
import type { Report } from './report.js';
import type { DemoTenant } from './tenant.js';

/** What the demo's night works with. */
export interface NightStage {
  anyone: Api;
  operator: Api;
  tenant: DemoTenant;
  /** The admin's. */
  listener: Listener;
  folders: BackupFolders;
  catcher: MailCatcher;
  report: Report;
}
