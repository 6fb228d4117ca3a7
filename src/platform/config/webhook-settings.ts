import { CERTIFICATES } from './formats.js';
import { ADDRESSES, optionalVariable, switchVariable } from './variables.js';

/** The settings of webhooks: a part of SCHEMA. */
export const WEBHOOK_SETTINGS = {
  webhooksEnabled: switchVariable({
    env: 'WEBHOOKS_ENABLED',
    yaml: 'webhooks.enabled',
    default: true,
    doc: 'Off: webhook calls wait and none is made.',
  }),
  webhookAllowedNetworks: optionalVariable({
    env: 'WEBHOOK_ALLOWED_NETWORKS',
    yaml: 'webhooks.allowed_networks',
    check: ADDRESSES,
    doc: 'Internal networks that endpoints may be in, although tenants choose the addresses: only what every tenant may call. Unset: only public addresses.',
  }),
  webhookAllowHttp: switchVariable({
    env: 'WEBHOOK_ALLOW_HTTP',
    yaml: 'webhooks.allow_http',
    default: false,
    doc: 'Allow endpoints without TLS, whose calls others can read on their way.',
  }),
  webhookCaFile: optionalVariable({
    env: 'WEBHOOK_CA_FILE',
    yaml: 'webhooks.ca_file',
    check: CERTIFICATES,
    doc: "PEM file of further certificate authorities for endpoints, such as a firm's own, beside the system's.",
  }),
} as const;
