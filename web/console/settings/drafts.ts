/**
 * Unsaved work, by the address of its page. Leaving a page keeps it; closing the window or loading it again asks the
 * person first.
 */
const drafts = new Map<string, object>();

const warn = (event: BeforeUnloadEvent): void => event.preventDefault();

/** Keeps the state of a page while it has unsaved work. */
export function keepDraft(address: string, state: object, isDirty: boolean): void {
  if (isDirty) drafts.set(address, state);
  else drafts.delete(address);
  if (drafts.size > 0) window.addEventListener('beforeunload', warn);
  else window.removeEventListener('beforeunload', warn);
}

/** The state of a page that was left with unsaved work. */
export function draftAt<State extends object>(
  address: string,
  Kind: new (...args: never[]) => State,
): State | null {
  const draft = drafts.get(address);
  return draft instanceof Kind ? draft : null;
}
