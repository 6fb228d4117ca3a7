import type { Setting } from '../../platform/config/config.js';
import type { Check } from './check.js';
import { checkClock } from './clock.js';
import { checkConfiguration, checkLinks } from './configuration.js';
import { checkDisks, checkFolders, checkStore } from './folders.js';
import { checkLogins, checkPooler, checkSchema } from './postgres.js';
import { checkPush, checkSms } from './providers.js';
import { checkRedis } from './redis.js';
import { checkRoles } from './roles.js';
import { checkSenderDomain } from './sender-domain.js';
import { checkServer } from './server.js';
import { checkSmtp } from './smtp.js';
import { checkDeliveries, checkFailures, checkScheduler } from './work.js';

const POSTGRES: readonly Setting[] = ['databaseUrl', 'databaseAppUrl', 'databaseSystemUrl', 'databasePooler'];
const SMTP: readonly Setting[] = [
  'smtpHost',
  'smtpPort',
  'smtpUser',
  'smtpPassword',
  'smtpFromEmail',
  'smtpTls',
  'smtpSsl',
  'smtpCaFile',
];
const FOLDERS: readonly Setting[] = ['dataDir', 'backupInboxDir', 'backupStoreDir'];

/** Every check of `vigie doctor`, in the order of its report. They run in parallel and do not depend on each other. */
export const CHECKS: readonly Check[] = [
  { id: 'configuration', settings: [], run: checkConfiguration },
  { id: 'links', settings: ['publicUrl', 'port', 'smtpHost'], run: checkLinks },
  { id: 'postgresql', settings: POSTGRES, needs: 'postgresql', run: checkLogins },
  { id: 'schema', settings: POSTGRES, needs: 'postgresql', run: checkSchema },
  { id: 'roles', settings: POSTGRES, needs: 'postgresql', run: checkRoles },
  { id: 'pooler', settings: POSTGRES, needs: 'postgresql', run: checkPooler },
  { id: 'redis', settings: ['redisUrl', 'redisPrefix'], needs: 'redis', run: checkRedis },
  { id: 'clock', settings: [...POSTGRES, 'redisUrl'], needs: 'postgresql', run: checkClock },
  { id: 'mail_server', settings: SMTP, run: checkSmtp },
  { id: 'sender_domain', settings: SMTP, run: checkSenderDomain },
  { id: 'sms', settings: ['smsProvider', 'twilioFrom', 'twilioApiUrl', 'awsSnsEndpoint'], run: checkSms },
  {
    id: 'push',
    settings: ['fcmServiceAccountFile', 'fcmApiUrl', 'vapidPublicKey', 'vapidSubject'],
    run: checkPush,
  },
  { id: 'folders', settings: FOLDERS, run: checkFolders },
  { id: 'backup_store', settings: FOLDERS, run: checkStore },
  { id: 'disks', settings: FOLDERS, run: checkDisks },
  { id: 'server', settings: ['publicUrl', 'port'], run: checkServer },
  { id: 'scheduler', settings: POSTGRES, needs: 'postgresql', run: checkScheduler },
  { id: 'deliveries', settings: POSTGRES, needs: 'postgresql', run: checkDeliveries },
  { id: 'failures', settings: POSTGRES, needs: 'postgresql', run: checkFailures },
];
