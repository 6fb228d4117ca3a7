import type { Config } from './config.js';
import { BASE_URL, PHONE_OR_SENDER_ID } from './formats.js';
import { choiceVariable, integerVariable, optionalVariable, switchVariable } from './variables.js';

export const SMS_PROVIDERS = ['none', 'console', 'twilio', 'aws_sns'] as const;

/** The settings of text messages and their providers: a part of SCHEMA. */
export const SMS_SETTINGS = {
  smsProvider: choiceVariable({
    env: 'SMS_PROVIDER',
    yaml: 'sms.provider',
    words: SMS_PROVIDERS,
    default: 'none',
    doc: 'Provider of text messages. console: for development, written to SMS_SIMULATION_FILE instead of sent. none: each is recorded as suppressed (channel_not_configured).',
  }),
  smsEnabled: switchVariable({
    env: 'SMS_ENABLED',
    yaml: 'sms.enabled',
    default: true,
    doc: 'Off: text messages wait and none is sent.',
  }),
  smsTransliterate: switchVariable({
    env: 'SMS_TRANSLITERATE',
    yaml: 'sms.transliterate',
    default: false,
    doc: 'Replace letters outside the GSM alphabet by the same ones without accent: a single one of them shortens a segment from 160 to 70 characters.',
  }),
  smsSimulationFile: optionalVariable({
    env: 'SMS_SIMULATION_FILE',
    yaml: 'sms.simulation_file',
    doc: 'File that SMS_PROVIDER=console writes to, a line of JSON each. Unset: sms.ndjson in VIGIE_DATA_DIR.',
  }),
  smsConcurrency: integerVariable({
    env: 'SMS_CONCURRENCY',
    yaml: 'workers.sms',
    default: 5,
    min: 1,
    max: 200,
    doc: 'Text messages that one worker process sends in parallel.',
  }),
  twilioAccountSid: optionalVariable({
    env: 'TWILIO_ACCOUNT_SID',
    yaml: 'sms.twilio.account_sid',
    doc: 'Account of Twilio; begins with AC.',
  }),
  twilioAuthToken: optionalVariable({
    env: 'TWILIO_AUTH_TOKEN',
    yaml: 'sms.twilio.auth_token',
    secret: true,
    doc: 'Auth token of the account.',
  }),
  twilioFrom: optionalVariable({
    env: 'TWILIO_FROM',
    yaml: 'sms.twilio.from',
    aliases: ['TWILIO_PHONE_NUMBER', 'TWILIO_FROM_NUMBER'],
    check: PHONE_OR_SENDER_ID,
    doc: 'Sender: a number of the account (+33…), or a sender id of up to 11 letters and digits where the country permits it.',
  }),
  twilioMessagingServiceSid: optionalVariable({
    env: 'TWILIO_MESSAGING_SERVICE_SID',
    yaml: 'sms.twilio.messaging_service_sid',
    doc: 'Messaging service that chooses the sender; begins with MG. Instead of TWILIO_FROM.',
  }),
  twilioApiUrl: optionalVariable({
    env: 'TWILIO_API_URL',
    yaml: 'sms.twilio.api_url',
    check: BASE_URL,
    doc: 'Address of the API in another region. Unset: https://api.twilio.com.',
  }),
  awsRegion: optionalVariable({
    env: 'AWS_REGION',
    yaml: 'sms.aws.region',
    doc: 'Region of Amazon SNS, such as eu-west-3.',
  }),
  awsAccessKeyId: optionalVariable({
    env: 'AWS_ACCESS_KEY_ID',
    yaml: 'sms.aws.access_key_id',
    doc: "Access key that may call sns:Publish. Unset: the SDK's own sources, such as the role of the machine.",
  }),
  awsSecretAccessKey: optionalVariable({
    env: 'AWS_SECRET_ACCESS_KEY',
    yaml: 'sms.aws.secret_access_key',
    secret: true,
    doc: 'Secret of the access key.',
  }),
  awsSnsSenderId: optionalVariable({
    env: 'AWS_SNS_SENDER_ID',
    yaml: 'sms.aws.sender_id',
    check: PHONE_OR_SENDER_ID,
    doc: 'Sender id of up to 11 letters and digits, where the country permits it.',
  }),
  awsSnsEndpoint: optionalVariable({
    env: 'AWS_SNS_ENDPOINT',
    yaml: 'sms.aws.endpoint',
    check: BASE_URL,
    doc: "Address of SNS. Unset: the region's.",
  }),
} as const;

/** What is missing for the chosen provider. */
export function smsContradictions(config: Config): string[] {
  const faults: string[] = [];
  if (config.smsProvider === 'twilio') {
    if (config.twilioAccountSid === null || config.twilioAuthToken === null)
      faults.push('TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are required when SMS_PROVIDER is twilio');
    if ((config.twilioFrom === null) === (config.twilioMessagingServiceSid === null))
      faults.push(
        'one of TWILIO_FROM and TWILIO_MESSAGING_SERVICE_SID is required when SMS_PROVIDER is twilio',
      );
  }
  if (config.smsProvider === 'aws_sns') {
    if (config.awsRegion === null) faults.push('AWS_REGION is required when SMS_PROVIDER is aws_sns');
    if ((config.awsAccessKeyId === null) !== (config.awsSecretAccessKey === null))
      faults.push('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together');
  }
  return faults;
}
