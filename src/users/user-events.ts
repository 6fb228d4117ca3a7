import { Injectable } from '@nestjs/common';
import type { Locale } from '../contracts/locales.js';
import type { TenantTransaction } from '../platform/database/transaction.js';

/** The user an event is about. */
export interface UserSubject {
  id: string;
  email: string;
  name: string;
  /** Null: the tenant's. */
  locale: Locale | null;
}

type SubjectListener = (tx: TenantTransaction, user: UserSubject) => Promise<void>;
type EmailListener = (tx: TenantTransaction, user: UserSubject, previousEmail: string) => Promise<void>;
type ErasureListener = (tx: TenantTransaction, userId: string, by: string) => Promise<void>;
type IdListener = (tx: TenantTransaction, userId: string) => Promise<void>;

/**
 * Lets later rooms act when a user is created, changed or erased, in the transaction of the change: both are committed
 * or neither. Listeners register at start and run one after the other, in that order: they share the transaction's
 * connection.
 */
@Injectable()
export class UserEvents {
  private readonly listeners = {
    created: [] as SubjectListener[],
    password_reset: [] as SubjectListener[],
    email_changed: [] as EmailListener[],
    password_changed: [] as SubjectListener[],
    links_ended: [] as IdListener[],
    erased: [] as ErasureListener[],
    preferences: [] as IdListener[],
  };

  /** A user was created without a password and needs a welcome. */
  onCreated(listener: SubjectListener): void {
    this.listeners.created.push(listener);
  }

  /** Somebody requested a new password for this user. */
  onPasswordResetRequested(listener: SubjectListener): void {
    this.listeners.password_reset.push(listener);
  }

  /** A user has another address, so other people may read the mailbox. */
  onEmailChanged(listener: EmailListener): void {
    this.listeners.email_changed.push(listener);
  }

  /** A user's password was replaced. Setting the first one does not count. */
  onPasswordChanged(listener: SubjectListener): void {
    this.listeners.password_changed.push(listener);
  }

  /** Some or all one-time links of this user no longer work. */
  onLinksEnded(listener: IdListener): void {
    this.listeners.links_ended.push(listener);
  }

  /** A user is about to be deleted: the rows still exist. `by` is who asked, such as `user:<id>`. */
  onErased(listener: ErasureListener): void {
    this.listeners.erased.push(listener);
  }

  /** Preferences, quiet hours or time zone of a user have changed, and with them when and where to notify. */
  onPreferencesChanged(listener: IdListener): void {
    this.listeners.preferences.push(listener);
  }

  async created(tx: TenantTransaction, user: UserSubject): Promise<void> {
    for (const listener of this.listeners.created) await listener(tx, user);
  }

  async passwordResetRequested(tx: TenantTransaction, user: UserSubject): Promise<void> {
    for (const listener of this.listeners.password_reset) await listener(tx, user);
  }

  async emailChanged(tx: TenantTransaction, user: UserSubject, previousEmail: string): Promise<void> {
    for (const listener of this.listeners.email_changed) await listener(tx, user, previousEmail);
  }

  async passwordChanged(tx: TenantTransaction, user: UserSubject): Promise<void> {
    for (const listener of this.listeners.password_changed) await listener(tx, user);
  }

  async linksEnded(tx: TenantTransaction, userId: string): Promise<void> {
    for (const listener of this.listeners.links_ended) await listener(tx, userId);
  }

  async erased(tx: TenantTransaction, userId: string, by: string): Promise<void> {
    for (const listener of this.listeners.erased) await listener(tx, userId, by);
  }

  async preferencesChanged(tx: TenantTransaction, userId: string): Promise<void> {
    for (const listener of this.listeners.preferences) await listener(tx, userId);
  }
}
