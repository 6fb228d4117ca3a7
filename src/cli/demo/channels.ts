import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import webPush from 'web-push';
import type { MailCatcher } from './mail-catcher.js';
import type { PushCatcher } from './push-catcher.js';
import type { Report } from './report.js';
import { SAMPLE_EVENT } from './sample-data.js';
import type { DemoTenant } from './tenant.js';
import { until } from './until.js';
import { CATCHER_NETWORK, type WebhookCatcher } from './webhook-catcher.js';

const PHONE = '+33612345678';
const WITHIN_MS = 20_000;

/** The settings of text messages, pushes and webhooks that stay on this machine. */
export function channelSettings(folder: string, pushes: PushCatcher): Record<string, string> {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  return {
    SMS_PROVIDER: 'console',
    SMS_SIMULATION_FILE: simulationFile(folder),
    VAPID_PUBLIC_KEY: publicKey,
    VAPID_PRIVATE_KEY: privateKey,
    VAPID_SUBJECT: 'mailto:vigie@demo.example',
    WEB_PUSH_SERVICES: pushes.url,
    WEBHOOK_ALLOW_HTTP: 'true',
    WEBHOOK_ALLOWED_NETWORKS: CATCHER_NETWORK,
  };
}

export function simulationFile(folder: string): string {
  return join(folder, 'sms.ndjson');
}

/** One event reaches its recipient by mail, text message and push, and a program by webhook. */
export async function showChannels(
  { admin }: DemoTenant,
  {
    folder,
    catcher,
    pushes,
    webhooks,
    report,
  }: {
    folder: string;
    catcher: MailCatcher;
    pushes: PushCatcher;
    webhooks: WebhookCatcher;
    report: Report;
  },
): Promise<void> {
  report.step(`Reaching ${admin.email} by mail, text message and push, and a program by webhook`);
  await admin.api.call('PATCH', 'me', { phone: PHONE });
  await admin.api.call('PUT', 'preferences', {
    preferences: [{ kind: 'event', channel: 'sms', enabled: true }],
  });
  await admin.api.call('POST', 'me/devices', {
    platform: 'web_push',
    subscription: pushes.browser.subscription,
    name: 'Demo',
  });
  const { secret } = await admin.api.call<{ secret: string }>('POST', 'tenant/webhooks', {
    url: webhooks.url,
    kinds: ['event'],
  });
  webhooks.secret = secret;
  const mails = catcher.count;
  // Critical: it leaves at any hour.
  await admin.api.call('POST', 'events', {
    ...SAMPLE_EVENT,
    severity: 'critical',
    dedupe_key: 'demo-channels',
    user_ids: [admin.id],
  });
  const arrived = () =>
    catcher.count > mails && [texts(folder), pushes.pushes, webhooks.calls].every(({ length }) => length > 0);
  await until('a message on each channel', arrived, WITHIN_MS).catch(() => undefined);
  const [text] = texts(folder);
  report.expect('mails', catcher.count - mails, 1);
  report.expect(`text messages to ${PHONE}`, texts(folder).length, 1);
  report.expect('its first line', text?.split('\n')[0], SAMPLE_EVENT.title);
  report.expect('pushes, decrypted by the browser', pushes.pushes.length, 1);
  report.expect('its title', pushes.pushes[0]?.title, SAMPLE_EVENT.title);
  report.expect('webhook calls with a valid signature', webhooks.calls.length, 1);
  report.expect('its title', webhooks.calls[0]?.data.title, SAMPLE_EVENT.title);
}

function texts(folder: string): string[] {
  const file = simulationFile(folder);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { text: string }).text);
}
