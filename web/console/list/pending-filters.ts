/** Filters of one list that a person has changed and that are not in the address yet. */
export class PendingFilters {
  private changes: Record<string, string> = {};
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** Passes all changes on at once, when none has come for `waitMs`. */
  set(name: string, value: string, waitMs: number, apply: (changes: Record<string, string>) => void): void {
    this.changes[name] = value;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { changes } = this;
      this.cancel();
      apply(changes);
    }, waitMs);
  }

  /** Forgets the changes. */
  cancel(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.changes = {};
  }
}
