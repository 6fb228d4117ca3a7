/** The parts of a tenant's inbox that a scan could not read: they decide which backups are MISSING, and why. */
export class InboxFindings {
  /** By agent; null has the reason for all agents. */
  private readonly unreadable = new Map<string | null, string>();
  private readonly unread = new Set<string>();
  /** Folders of the tenant's inbox whose names are not valid agent ids. */
  ignoredFolders: readonly string[] = [];

  /** An agent could not be read completely. @param agent null: all agents */
  markUnreadable(agent: string | null, reason: string): void {
    this.unreadable.set(agent, reason);
  }

  /** Reports of this agent are left for the next scan: until then none of its backups is missing. */
  markUnread(agent: string): void {
    this.unread.add(agent);
  }

  /** Why an agent could not be read completely; null if it was. */
  unreadableReason(agent: string): string | null {
    return this.unreadable.get(agent) ?? this.unreadable.get(null) ?? null;
  }

  isUnread(agent: string): boolean {
    return this.unread.has(agent);
  }
}
