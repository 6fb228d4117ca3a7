import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { stringify } from 'yaml';
import { type ClientMessages, MAX_UNSEEN, type ServerMessages } from './contracts/socket-messages.js';
import { VERSION } from './platform/version.js';

const NAMESPACE = '/notifications';
/** The schema of one notification, as REST shows it. */
const NOTIFICATION = 'FeedNotification';
/** Ids that one `notifications.read` takes. */
const MAX_IDS = 200;

type Schema = Record<string, unknown>;

const COUNT: Schema = {
  unread_count: { type: 'integer', minimum: 0 },
  unseen: {
    type: 'integer',
    minimum: 0,
    maximum: MAX_UNSEEN,
    description: `Created after the last \`PUT notifications/seen\`; ${MAX_UNSEEN} means as many or more`,
  },
  seq: { type: 'integer', minimum: 0, description: 'Ignore counts with a smaller seq than the last one' },
};

const CHANGE: Schema = {
  allOf: [
    { $ref: `#/components/schemas/${NOTIFICATION}` },
    { type: 'object', required: Object.keys(COUNT), properties: COUNT },
  ],
};

const FROM_SERVER: Record<keyof ServerMessages, { summary: string; payload: Schema }> = {
  'notification.created': {
    summary: 'A new notification, with the counts that include it',
    payload: CHANGE,
  },
  'notification.updated': {
    summary:
      'A notification that was read, unread or archived, or whose alert was acknowledged or snoozed, with the counts',
    payload: CHANGE,
  },
  unread_count: {
    summary: 'The counts alone: after connecting, or when the user has seen something in another tab',
    payload: { type: 'object', required: Object.keys(COUNT), properties: COUNT },
  },
  resync_required: {
    summary: 'Too much was missed to replay: read the feed by REST',
    payload: { type: 'null' },
  },
};

const ACKNOWLEDGED: Schema = {
  oneOf: [
    {
      type: 'object',
      required: ['ok', 'updated'],
      properties: { ok: { const: true }, updated: { type: 'integer', minimum: 0 } },
    },
    {
      type: 'object',
      required: ['ok', 'code'],
      properties: { ok: { const: false }, code: { type: 'string' }, detail: { type: 'string' } },
    },
  ],
};

const FROM_CLIENT: Record<keyof ClientMessages, { summary: string; payload: Schema }> = {
  'notifications.read': {
    summary: 'Mark notifications as read',
    payload: {
      type: 'object',
      required: ['ids'],
      additionalProperties: false,
      properties: {
        ids: { type: 'array', minItems: 1, maxItems: MAX_IDS, items: { type: 'string', format: 'uuid' } },
      },
    },
  },
  'notifications.read_all': { summary: 'Mark all notifications as read', payload: { type: 'null' } },
};

const DESCRIPTION = `Live notifications of a signed-in user, by Socket.IO 4: namespace \`${NAMESPACE}\`, transport \`websocket\` only.

Connect with \`auth: {token, since?}\`: an access token, and the \`cursor\` of the last notification that the client
has, to replay what it missed. The server disconnects when the token expires or the session ends. A refused connection gets
\`connect_error\` with \`data.code\`. A client may see a notification twice and never misses one. Messages of the client
are acknowledged.`;

/**
 * Serves `/asyncapi.yaml`: the messages of the sockets, as AsyncAPI 3.0.
 * @param describeApi gives the OpenAPI document, whose schemas it shares.
 */
export function setUpAsyncApi(app: NestFastifyApplication, describeApi: () => OpenAPIObject): void {
  let text: string | null = null;
  app
    .getHttpAdapter()
    .getInstance()
    .get('/asyncapi.yaml', (_request, reply) => {
      text ??= stringify(describeSockets(describeApi()));
      void reply.type('application/yaml').send(text);
    });
}

/** The AsyncAPI document. */
export function describeSockets(api: OpenAPIObject): Record<string, unknown> {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Vigie, live notifications',
      version: VERSION,
      description: DESCRIPTION,
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    defaultContentType: 'application/json',
    channels: {
      notifications: {
        address: NAMESPACE,
        messages: Object.fromEntries(
          [...Object.keys(FROM_SERVER), ...Object.keys(FROM_CLIENT)].map((name) => [
            name,
            { $ref: `#/components/messages/${name}` },
          ]),
        ),
      },
      acknowledgements: {
        address: null,
        messages: { acknowledgement: { $ref: '#/components/messages/acknowledgement' } },
      },
    },
    operations: {
      ...operations(FROM_SERVER, () => ({ action: 'send' })),
      ...operations(FROM_CLIENT, () => ({
        action: 'receive',
        reply: {
          channel: { $ref: '#/channels/acknowledgements' },
          messages: [{ $ref: '#/channels/acknowledgements/messages/acknowledgement' }],
        },
      })),
    },
    components: {
      messages: {
        ...messages(FROM_SERVER),
        ...messages(FROM_CLIENT),
        acknowledgement: {
          summary: 'What a message of the client is acknowledged with',
          payload: ACKNOWLEDGED,
        },
      },
      schemas: withReferences(NOTIFICATION, api.components?.schemas ?? {}),
    },
  };
}

/** A schema, and those that it refers to. */
function withReferences(name: string, all: Record<string, unknown>, found: Schema = {}): Schema {
  found[name] = all[name];
  for (const [, other = ''] of JSON.stringify(all[name]).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (!(other in found)) withReferences(other, all, found);
  }
  return found;
}

function messages(of: Record<string, { summary: string; payload: Schema }>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).map(([name, message]) => [name, { name, ...message }]));
}

function operations(
  of: Record<string, { summary: string }>,
  rest: () => Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(of).map(([name, { summary }]) => [
      name.replaceAll('.', '_'),
      {
        summary,
        channel: { $ref: '#/channels/notifications' },
        messages: [{ $ref: `#/channels/notifications/messages/${name}` }],
        ...rest(),
      },
    ]),
  );
}
