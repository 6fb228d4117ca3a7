import type { Api } from '../demo/api.js';

/** The data that steps share. */
export interface Trial {
  url: string;
  anyone: Api;
  /** Null with an API key: steps for operators are skipped. */
  operator: Api | null;
  /** The writer in the tenant: the trial's own user, or the API key. */
  writer: Api;
  /** The API key of the tenant. */
  keyHolder: Api;
  /** The slug of the trial's tenant; null with an API key, which belongs to one tenant. */
  tenant: string | null;
  /** The trial's own user; null with an API key. */
  user: { id: string; token: string } | null;
  /** The recipient of the mails. */
  to: string;
  /** The number for a text message; null: none is sent. */
  phone: string | null;
  /** The e-mail address of a user with a device, who gets a push; null: none is sent. */
  push: string | null;
  /** The URL for a webhook call; null: none is made. */
  webhook: string | null;
  /** The configured services, as `GET admin/connections` names them; null: an API key may not see them. */
  configured: ReadonlySet<string> | null;
  /** The created notification, for later steps. */
  notification_id: string | null;
}

/** The result of a step that did not fail. A skipped one may name the option that it needs. */
export type Ending = { ok: string } | { skipped: string; option?: string };

/** A part of the installation to test. */
export interface Step {
  name: string;
  /** @throws Failure, or the error of the connection or the API. */
  run(trial: Trial): Promise<Ending>;
}

/** A fault, with its remedy. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}
