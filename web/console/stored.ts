/**
 * What this browser remembers between visits. Where storage is blocked, nothing is: every reader has a default. `push`:
 * the id of who turned pushes on.
 */
export type StoredName = 'zone' | 'tenant' | 'email' | 'push';

const PREFIX = 'vigie-';

export function stored(name: StoredName): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function store(name: StoredName, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // The next visit uses the default.
  }
}
