import type { Severity } from '../../../contracts/severities.js';

/** What a webhook says, in the tenant's language. */
export interface WebhookNotification {
  /** The same as in REST; null for a test. */
  id: string | null;
  kind: string;
  severity: Severity;
  title: string;
  body: string;
  /** The facts. */
  data: Record<string, unknown>;
  alert_id: string | null;
  item_url: string | null;
  created_at: Date;
  tenant: { id: string; slug: string; name: string };
}

/** Slack cuts off longer texts. In characters. */
const MAX_SLACK_TEXT = 4_000;

/** The body of Standard Webhooks: `type`, `timestamp` and `data`. */
export function standardBody({ kind, created_at, ...notification }: WebhookNotification): string {
  return JSON.stringify({
    type: kind,
    timestamp: created_at.toISOString(),
    data: { ...notification, kind, created_at: created_at.toISOString() },
  });
}

/** The body of Slack's incoming webhooks: title in bold, body, and a link to the item. */
export function slackBody({ title, body, item_url }: WebhookNotification): string {
  const link = item_url === null ? '' : `\n<${item_url.replace(/[<>|]/g, encodeURIComponent)}>`;
  const text = body === '' ? '' : `\n${body}`;
  const words = `*${escaped(title)}*${escaped(text)}`;
  return JSON.stringify({ text: `${cut(words, MAX_SLACK_TEXT - link.length)}${link}` });
}

/** Slack's three control characters: without this a text could mention a channel or disguise a link. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Never inside an entity or a character. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max - 1).replace(/&[a-z]{0,3}$|[\ud800-\udbff]$/, '')}…`;
}
