import type { Config } from './config.js';
import { BASE_URL } from './formats.js';
import { readServiceAccount } from './service-account.js';
import {
  type Format,
  integerVariable,
  optionalVariable,
  originsVariable,
  switchVariable,
} from './variables.js';
import { parseUrl } from '../text/url.js';

/** RFC 8292 §3.2: an uncompressed P-256 point; and its scalar. */
const PUBLIC_KEY_BYTES = 65;
const PRIVATE_KEY_BYTES = 32;

/** The settings of pushes: a part of SCHEMA. */
export const PUSH_SETTINGS = {
  pushEnabled: switchVariable({
    env: 'PUSH_ENABLED',
    yaml: 'push.enabled',
    default: true,
    doc: 'Off: pushes wait and none is sent.',
  }),
  pushConcurrency: integerVariable({
    env: 'PUSH_CONCURRENCY',
    yaml: 'workers.push',
    default: 10,
    min: 1,
    max: 500,
    doc: 'Pushes that one worker process sends in parallel.',
  }),
  fcmServiceAccountFile: optionalVariable({
    env: 'FCM_SERVICE_ACCOUNT_FILE',
    yaml: 'push.fcm.service_account_file',
    check: serviceAccount(),
    doc: 'Key file (JSON) of a service account of the Firebase project, for pushes to apps. Unset: apps cannot be registered.',
  }),
  fcmApiUrl: optionalVariable({
    env: 'FCM_API_URL',
    yaml: 'push.fcm.api_url',
    check: BASE_URL,
    doc: 'Address of Firebase Cloud Messaging. Unset: https://fcm.googleapis.com.',
  }),
  vapidPublicKey: optionalVariable({
    env: 'VAPID_PUBLIC_KEY',
    yaml: 'push.web.public_key',
    check: keyOf(PUBLIC_KEY_BYTES),
    doc: 'Public key for pushes to browsers (npx web-push generate-vapid-keys). Keep it: with another one every browser must subscribe again. Unset: browsers cannot be registered.',
  }),
  vapidPrivateKey: optionalVariable({
    env: 'VAPID_PRIVATE_KEY',
    yaml: 'push.web.private_key',
    secret: true,
    check: keyOf(PRIVATE_KEY_BYTES),
    doc: 'Private key of VAPID_PUBLIC_KEY.',
  }),
  vapidSubject: optionalVariable({
    env: 'VAPID_SUBJECT',
    yaml: 'push.web.subject',
    check: contact(),
    doc: 'Whom push services may contact about this server: mailto:admin@example.com or an https URL.',
  }),
  webPushServices: originsVariable({
    env: 'WEB_PUSH_SERVICES',
    yaml: 'push.web.services',
    default:
      'https://fcm.googleapis.com,https://*.push.services.mozilla.com,https://*.notify.windows.com,https://*.push.apple.com',
    doc: 'Push services of browsers that this server may call, by origin; *. stands for any subdomain.',
  }),
} as const;

/** Settings that belong together. */
export function pushContradictions(config: Config): string[] {
  const given = [config.vapidPublicKey, config.vapidPrivateKey, config.vapidSubject];
  const some = given.some((value) => value !== null);
  return some && given.includes(null)
    ? ['VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY and VAPID_SUBJECT must be set together']
    : [];
}

function serviceAccount(): Format {
  return {
    type: 'path of a JSON file',
    check: (path) => {
      readServiceAccount(path);
    },
  };
}

function keyOf(bytes: number): Format {
  return {
    type: `base64url of ${bytes} bytes`,
    check: (text) => {
      if (!/^[\w-]+$/.test(text) || Buffer.from(text, 'base64url').length !== bytes)
        throw new Error(`must be base64url of ${bytes} bytes`);
    },
  };
}

/** RFC 8292 §2.1. */
function contact(): Format {
  return {
    type: 'mailto: or https: URL',
    check: (text) => {
      if (!/^mailto:[^\s@]+@[^\s@]+$/.test(text) && !(text.startsWith('https://') && parseUrl(text) !== null))
        throw new Error('must be mailto: with an address, or an https URL');
    },
  };
}
