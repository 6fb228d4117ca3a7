import type { Api } from '../demo/api.js';

/** What the trial goes on with from one step to the next. */
export interface Trial {
  url: string;
  anyone: Api;
  /** Null with an API key: what only operators may is skipped then. */
  operator: Api | null;
  /** Who writes, in the tenant that is tried: the trial's own user, or the API key. */
  writer: Api;
  /** The slug of the trial's tenant; null with an API key, which is of one tenant anyway. */
  tenant: string | null;
  /** The trial's own user; null with an API key. */
  user: { id: string; token: string } | null;
  /** Where the mails go. */
  to: string;
  /** A notification that was created, for the steps after it. */
  notification_id: string | null;
}

/** How a step ended that did not fail. */
export type Ending = { ok: string } | { skipped: string };

/** A part of the installation that is tried. */
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
