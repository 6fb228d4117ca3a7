/** What a scan could not read of a tenant's inbox: it decides which backups are MISSING, and why. */
export class InboxFindings {
  /** By agent; the reason for all agents is under null. */
  private readonly unreadable = new Map<string | null, string>();
  private readonly unread = new Set<string>();
  /** Folders of the tenant's inbox with a name that no agent can have. */
  ignoredFolders: readonly string[] = [];

  /** Nothing, or not all, of an agent could be read. @param agent null: of no agent */
  markUnreadable(agent: string | null, reason: string): void {
    this.unreadable.set(agent, reason);
  }

  /** Reports of this agent are left for the next scan: until then nothing of it is missing. */
  markUnread(agent: string): void {
    this.unread.add(agent);
  }

  /** Why nothing, or not all, of an agent could be read; null when all was. */
  unreadableReason(agent: string): string | null {
    return this.unreadable.get(agent) ?? this.unreadable.get(null) ?? null;
  }

  isUnread(agent: string): boolean {
    return this.unread.has(agent);
  }
}
