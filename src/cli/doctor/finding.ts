/** `note`: nothing is wrong, but something could not be checked, or is worth knowing. */
export type FindingState = 'ok' | 'note' | 'warning' | 'fault';

/** One result of a check. */
export interface Finding {
  state: FindingState;
  /** One sentence, without secrets. */
  message: string;
  /** What to do; null where nothing is wrong. */
  remedy: string | null;
}

/** A finding and the check that found it: a line of the report. */
export interface CheckedFinding extends Finding {
  /** The check; one check may have several findings. */
  id: string;
}

export const ok = (message: string): Finding => ({ state: 'ok', message, remedy: null });
export const note = (message: string): Finding => ({ state: 'note', message, remedy: null });
export const warning = (message: string, remedy: string): Finding => ({ state: 'warning', message, remedy });
export const fault = (message: string, remedy: string): Finding => ({ state: 'fault', message, remedy });
