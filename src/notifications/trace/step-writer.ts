import { type Reason, REASONS, type SettingIds, settingPath } from '../../contracts/reasons.js';
import type { TraceStep } from './trace-step.dto.js';

/** The details of a step, besides its reason. */
export type StepDetails = Partial<Omit<TraceStep, 'step' | 'outcome' | 'reason' | 'text' | 'path'>> & {
  /** Ids for the path, besides those of the case. */
  ids?: SettingIds;
};

/** Pages that members do not see. */
const NOT_FOR_MEMBERS = /^\/(settings|operator)(\/|#|$)/;

/** Writes the steps of one case: in its reader's language, with paths that its reader may open. */
export class StepWriter {
  /**
   * @param textOf the words of a reason
   * @param ids of the case, for paths
   * @param isAdmin whether the reader sees the settings of the tenant
   */
  constructor(
    private readonly textOf: (reason: Reason) => string,
    private readonly ids: SettingIds,
    private readonly isAdmin: boolean,
  ) {}

  /** The same, with more ids. */
  with(ids: SettingIds): StepWriter {
    return new StepWriter(this.textOf, { ...this.ids, ...ids }, this.isAdmin);
  }

  step(reason: Reason, { ids = {}, ...details }: StepDetails = {}): TraceStep {
    const { step, outcome } = REASONS[reason];
    const path = settingPath(reason, { ...this.ids, ...ids });
    return {
      ...{ step, outcome, reason, text: this.textOf(reason), at: null, until: null, by: null, count: null },
      ...{ attempt: null, detail: null, run: null },
      ...details,
      path: path !== null && !this.isAdmin && NOT_FOR_MEMBERS.test(path) ? null : path,
    };
  }
}
