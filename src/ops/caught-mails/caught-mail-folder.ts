import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A mail that a mail catcher kept. Addresses are those of the envelope. */
export interface CaughtMail {
  /** Sorts by time. */
  id: string;
  from: string;
  to: string[];
  subject: string;
  html: string;
  text: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** UTC. */
  received_at: string;
}

/** Mails that a folder keeps; older ones are deleted. */
export const MAX_KEPT = 500;
const ID = /^\d{8}T\d{9}Z-[0-9a-f]{8}$/;
/** Mails have one-time links: only the user of the process may read them. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** A folder of caught mails, a JSON file each. For development: the mail catcher writes it, the server reads it. */
export class CaughtMailFolder {
  /** @param path created with the first mail */
  constructor(private readonly path: string) {}

  /** Keeps a mail and deletes the oldest ones over the limit. A reader never sees half a file. */
  async keep(mail: Omit<CaughtMail, 'id' | 'received_at'> & { received_at: Date }): Promise<void> {
    const { from, to, subject, html, text, headers, received_at } = mail;
    const id = `${received_at.toISOString().replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`;
    await mkdir(this.path, { recursive: true, mode: FOLDER_MODE });
    const temporary = join(this.path, `${id}.part`);
    const record: CaughtMail = {
      id,
      from,
      to,
      subject,
      html,
      text,
      headers,
      received_at: received_at.toISOString(),
    };
    await writeFile(temporary, JSON.stringify(record), { mode: FILE_MODE });
    await rename(temporary, this.fileOf(id));
    const surplus = (await this.ids()).slice(MAX_KEPT);
    await Promise.all(surplus.map((old) => rm(this.fileOf(old), { force: true })));
  }

  /** @param before the id of the last mail of the page before; null: the newest mails */
  async newest(limit: number, before: string | null): Promise<CaughtMail[]> {
    const ids = (await this.ids()).filter((id) => before === null || id < before).slice(0, limit);
    const mails = await Promise.all(ids.map((id) => this.read(id)));
    // The catcher deleted it in between.
    return mails.filter((mail) => mail !== null);
  }

  /** Null: no such mail. */
  async read(id: string): Promise<CaughtMail | null> {
    if (!isCaughtMailId(id)) return null;
    try {
      return JSON.parse(await readFile(this.fileOf(id), 'utf8')) as CaughtMail;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Newest first. */
  private async ids(): Promise<string[]> {
    const names = await readdir(this.path).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    return names
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .filter(isCaughtMailId)
      .sort()
      .reverse();
  }

  private fileOf(id: string): string {
    return join(this.path, `${id}.json`);
  }
}

export function isCaughtMailId(id: string): boolean {
  return ID.test(id);
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
