import { SendError } from '../../delivery/channels/sender.js';
import { fcmOf } from '../../delivery/channels/push/push.module.js';
import { smsProviderOf } from '../../delivery/channels/sms/sms.module.js';
import { SystemClock } from '../../platform/clock/clock.js';
import { smsContradictions } from '../../platform/config/sms-settings.js';
import { pushContradictions } from '../../platform/config/push-settings.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok } from './finding.js';

/** The provider of text messages: its settings, and a login that sends nothing. */
export async function checkSms({ config }: DoctorContext): Promise<Finding[]> {
  const provider = smsProviderOf(config, new SystemClock());
  if (provider === null) return [note('text messages are not configured (SMS_PROVIDER)')];
  if (smsContradictions(config).length > 0) return [INCOMPLETE];
  if (config.smsProvider === 'console')
    return [note('SMS_PROVIDER is console: text messages are written to a file, and none is sent')];
  const settings =
    config.smsProvider === 'twilio' ? 'TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN' : 'the AWS_ settings';
  return verified(() => provider.verify(), `${config.smsProvider}: logged in`, settings);
}

/** The services of pushes: their settings, and a login that sends nothing. */
export async function checkPush({ config }: DoctorContext): Promise<Finding[]> {
  if (pushContradictions(config).length > 0) return [INCOMPLETE];
  const browsers = config.vapidPublicKey === null ? [] : [ok('browsers: the VAPID keys are complete')];
  const fcm = fcmOf(config, new SystemClock());
  if (fcm === null)
    return browsers.length > 0
      ? browsers
      : [note('pushes are not configured (FCM_SERVICE_ACCOUNT_FILE, VAPID_PUBLIC_KEY)')];
  const apps = await verified(
    () => fcm.verify(),
    'apps: Firebase accepts the service account',
    'FCM_SERVICE_ACCOUNT_FILE',
  );
  return [...apps, ...browsers];
}

/** The configuration's check says what is missing. */
const INCOMPLETE = note('not checked, because settings are missing: see configuration');

async function verified(verify: () => Promise<void>, success: string, settings: string): Promise<Finding[]> {
  try {
    await verify();
    return [ok(success)];
  } catch (error) {
    if (!(error instanceof SendError)) throw error;
    return [
      fault(
        error.message,
        error.cause === 'unreachable'
          ? 'Check that this machine reaches the provider over HTTPS (proxy, firewall, DNS)'
          : `Check ${settings}, and the account at the provider`,
      ),
    ];
  }
}
