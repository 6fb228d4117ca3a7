import { createPublicKey } from 'node:crypto';
import type { Config } from './config.js';
import { BASE_URL } from './formats.js';
import { STRONG_SECRET } from './secrets.js';
import { type Format, optionalVariable } from './variables.js';

/** The last part of a URL that a provider calls. */
const URL_TOKEN: Format = {
  type: 'random text of 32 to 128 letters, digits, - and _',
  check: (text) => {
    if (!/^[\w-]{32,128}$/.test(text))
      throw new Error('must be 32 to 128 letters, digits, - and _ (openssl rand -hex 32)');
    STRONG_SECRET.check(text);
  },
};

const TOPIC_ARN: Format = {
  type: 'ARN of an SNS topic',
  check: (text) => {
    if (!/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]{1,256}$/.test(text))
      throw new Error('must be the ARN of a topic, such as arn:aws:sns:eu-west-3:123456789012:vigie');
  },
};

/** SendGrid shows its key as base64 of the DER form; PEM is accepted, too. */
const EC_PUBLIC_KEY: Format = {
  type: 'ECDSA public key, base64',
  check: (text) => {
    try {
      if (ecPublicKey(text).asymmetricKeyType === 'ec') return;
    } catch {
      // The same fault.
    }
    throw new Error('must be the verification key that SendGrid shows (base64)');
  },
};

/** https://www.standardwebhooks.com: `whsec_` and 24 to 64 bytes in base64. */
const WEBHOOK_SECRET: Format = {
  type: 'whsec_ and 24 to 64 random bytes in base64',
  check: (text) => {
    const bytes = Buffer.from(text.replace(/^whsec_/, ''), 'base64').length;
    if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text) || bytes < 24 || bytes > 64)
      throw new Error('must be whsec_ followed by 24 to 64 random bytes in base64 (openssl rand -base64 32)');
  },
};

/** @throws Error if it is not a public key. */
export function ecPublicKey(text: string) {
  if (text.includes('BEGIN PUBLIC KEY')) return createPublicKey(text);
  return createPublicKey({ key: Buffer.from(text.trim(), 'base64'), format: 'der', type: 'spki' });
}

function token(provider: string, name: string) {
  return optionalVariable({
    env: `HOOKS_${name}_TOKEN`,
    yaml: `hooks.${name.toLowerCase()}.token`,
    secret: true,
    check: URL_TOKEN,
    doc: `${provider} calls <VIGIE_PUBLIC_URL>/hooks/${name.toLowerCase()}/<this token> with its events. Unset: that address does not exist.`,
  });
}

/** The settings of provider events: a part of SCHEMA. docs/provider-events.md explains each provider's. */
export const HOOK_SETTINGS = {
  hooksSesToken: token('Amazon SES', 'SES'),
  hooksSesTopicArn: optionalVariable({
    env: 'HOOKS_SES_TOPIC_ARN',
    yaml: 'hooks.ses.topic_arn',
    check: TOPIC_ARN,
    doc: 'The SNS topic of the events; messages of other topics are refused, although Amazon signs them, too.',
  }),
  hooksSesSnsUrl: optionalVariable({
    env: 'HOOKS_SES_SNS_URL',
    yaml: 'hooks.ses.sns_url',
    check: BASE_URL,
    doc: "Address from which certificates are read and subscriptions confirmed, for a proxy or a test. Unset: the topic's region.",
  }),
  hooksPostmarkToken: token('Postmark', 'POSTMARK'),
  hooksMailgunToken: token('Mailgun', 'MAILGUN'),
  hooksMailgunSigningKey: optionalVariable({
    env: 'HOOKS_MAILGUN_SIGNING_KEY',
    yaml: 'hooks.mailgun.signing_key',
    secret: true,
    doc: 'HTTP webhook signing key of the Mailgun account.',
  }),
  hooksSendgridToken: token('SendGrid', 'SENDGRID'),
  hooksSendgridVerificationKey: optionalVariable({
    env: 'HOOKS_SENDGRID_VERIFICATION_KEY',
    yaml: 'hooks.sendgrid.verification_key',
    check: EC_PUBLIC_KEY,
    doc: 'Verification key of the signed event webhook.',
  }),
  hooksTwilioToken: token('Twilio', 'TWILIO'),
  hooksGenericToken: token('Another program', 'GENERIC'),
  hooksGenericSecret: optionalVariable({
    env: 'HOOKS_GENERIC_SECRET',
    yaml: 'hooks.generic.secret',
    secret: true,
    check: WEBHOOK_SECRET,
    doc: 'Secret with which that program signs its events (Standard Webhooks).',
  }),
} as const;

/** What is missing for the providers whose token is set. */
export function hookContradictions(config: Config): string[] {
  const needed: [string | null, string, string | null, string][] = [
    [config.hooksSesToken, 'HOOKS_SES_TOKEN', config.hooksSesTopicArn, 'HOOKS_SES_TOPIC_ARN'],
    [
      config.hooksMailgunToken,
      'HOOKS_MAILGUN_TOKEN',
      config.hooksMailgunSigningKey,
      'HOOKS_MAILGUN_SIGNING_KEY',
    ],
    [
      config.hooksSendgridToken,
      'HOOKS_SENDGRID_TOKEN',
      config.hooksSendgridVerificationKey,
      'HOOKS_SENDGRID_VERIFICATION_KEY',
    ],
    [config.hooksTwilioToken, 'HOOKS_TWILIO_TOKEN', config.twilioAuthToken, 'TWILIO_AUTH_TOKEN'],
    [config.hooksTwilioToken, 'HOOKS_TWILIO_TOKEN', config.publicUrl, 'VIGIE_PUBLIC_URL'],
    [config.hooksGenericToken, 'HOOKS_GENERIC_TOKEN', config.hooksGenericSecret, 'HOOKS_GENERIC_SECRET'],
  ];
  return needed
    .filter(([token, , key]) => token !== null && key === null)
    .map(([, token, , key]) => `${key} is required when ${token} is set: events are verified with it`);
}
