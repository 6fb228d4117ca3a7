export const ENDPOINT_FORMATS = ['standard', 'slack'] as const;
/** `standard`: Standard Webhooks, signed. `slack`: Slack's incoming webhooks, whose URL is the secret. */
export type EndpointFormat = (typeof ENDPOINT_FORMATS)[number];

export const ENDPOINT_STATES = ['enabled', 'disabled'] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

/** Why an endpoint is disabled: by an admin, by its answer 410 (or Slack's equivalents), or after days of failures. */
export const DISABLE_REASONS = ['admin', 'gone', 'failing'] as const;
export type DisableReason = (typeof DISABLE_REASONS)[number];

/** What a call needs. */
export interface CallableEndpoint {
  tenant_id: string;
  id: string;
  url: string;
  format: EndpointFormat;
  /** The valid ones, the newest first; none for Slack. */
  secrets: readonly string[];
}

/** The recipient of notifications and deliveries. */
export function recipientOf(endpointId: string): string {
  return `webhook:${endpointId}`;
}

/** The URL for people. Path and query often are or hold a secret, whatever the format: they are never shown. */
export function shownUrl(url: URL): string {
  return url.pathname === '/' && url.search === '' ? url.href : `${url.origin}/${HIDDEN}`;
}

/** What stands for a hidden path. */
export const HIDDEN = '…';
