import type { Api } from '../demo/api.js';

/** The state that the steps share. */
export interface Trial {
  url: string;
  anyone: Api;
  /** Null with an API key: steps for operators are then skipped. */
  operator: Api | null;
  /** The sender in the tested tenant: the trial's user, or the API key. */
  writer: Api;
  /** The slug of the trial's tenant; null with an API key, which belongs to one tenant. */
  tenant: string | null;
  /** The trial's own user; null with an API key. */
  user: { id: string; token: string } | null;
  /** Recipient of the mails. */
  to: string;
  /** The created notification, for later steps. */
  notification_id: string | null;
}

/** Outcome of a step that did not fail. */
export type Ending = { ok: string } | { skipped: string };

/** A test of one part of the installation. */
export interface Step {
  name: string;
  /** @throws Failure, or what the connection or the API threw. */
  run(trial: Trial): Promise<Ending>;
}

/** What is wrong, and what to do about it. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}
