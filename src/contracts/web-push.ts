/**
 * What a push is about. Only texts, because FCM takes nothing else
 * (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages); a type, so that it is a `Record` of them.
 */
export type PushData = {
  /** The slug of the tenant. */
  tenant: string;
  /** `bundle`: several. */
  kind: string;
  /** The first 20, separated by commas. */
  notification_ids: string;
  /** How many notifications. */
  count: string;
};

/** What a browser gets by Web Push, as JSON: the service worker (web/push-worker) shows it. */
export interface WebPushContent {
  /** The same on every attempt: a repeated push replaces the first one. */
  id: string;
  title: string;
  body: string;
  data: PushData;
}
