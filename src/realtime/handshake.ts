import { Injectable, Logger } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'socket.io';
import { Authenticator, type Recognised } from '../auth/authenticator.js';
import { FeedChangesReader } from '../notifications/feed/feed-changes.service.js';
import { type FeedCursor, LAST_ID, readFeedCursor } from '../notifications/feed/feed-cursor.js';
import { ERRORS, type ErrorCode } from '../platform/errors/error-table.js';
import { toProblem } from '../platform/errors/problem.filter.js';
import { Problem } from '../platform/errors/problem.js';
import { isOwnOrigin } from '../platform/http/same-origin.js';
import { Places } from './places.js';
import type { FeedSocket } from './subscriber.js';

const MAX_TOKEN_LENGTH = 8_192;
/** Attempts per connection; each one queries PostgreSQL. */
const MAX_TRIES = 3;
/** Sockets of one user in one process. */
const MAX_SOCKETS = 50;

/** The content of `connect_error`; `data.code` is from the error table. */
class RefusedError extends Error {
  readonly data: { code: ErrorCode };

  constructor(problem: Problem) {
    super(ERRORS[problem.code].title);
    this.data = { code: problem.code };
  }
}

/** Admits sockets before they are connected, so that an unauthorised socket never is. */
@Injectable()
export class Handshake {
  private readonly logger = new Logger('Handshake');
  private readonly tries = new WeakMap<Socket['conn'], number>();
  private readonly places = new Places(MAX_SOCKETS);

  constructor(
    private readonly authenticator: Authenticator,
    private readonly changes: FeedChangesReader,
  ) {}

  /** Middleware of the namespace. */
  readonly admit = (socket: FeedSocket, next: (error?: Error) => void): void => {
    this.recognise(socket).then(
      () => next(),
      (error: unknown) => next(this.refusal(error)),
    );
  };

  private async recognise(socket: FeedSocket): Promise<void> {
    const tries = (this.tries.get(socket.conn) ?? 0) + 1;
    this.tries.set(socket.conn, tries);
    if (tries > MAX_TRIES) {
      socket.conn.close(true);
      throw new Problem('too_many_attempts');
    }
    const { token, since } = socket.handshake.auth as { token?: unknown; since?: unknown };
    const { caller, session, expires_at } = await this.authenticate(token ?? null, socket.handshake.headers);
    // A feed belongs to a person: programs and operators have none.
    if (caller.kind !== 'user' || caller.user_id === null) throw new Problem('forbidden');
    const leave = this.places.take(`${caller.tenant_id}:${caller.user_id}`);
    if (leave === null) throw new Problem('too_many_attempts');
    // Not `disconnect`: a client that closes during its handshake was never connected.
    socket.conn.once('close', leave);
    if (socket.conn.readyState !== 'open') leave();
    const asked = readFeedCursor(since);
    socket.data = {
      tenant_id: caller.tenant_id,
      user_id: caller.user_id,
      session,
      expires_at,
      since: asked ?? (await this.head(caller.tenant_id, caller.user_id)),
      resync: since !== undefined && since !== null && asked === null,
    };
  }

  /**
   * By the token, or without one by the cookie of a page of this server. A browser sends its cookie in any case, so a
   * token counts alone.
   */
  private async authenticate(token: unknown, headers: IncomingHttpHeaders): Promise<Recognised> {
    if (token === null && isOwnOrigin(headers)) return this.authenticator.byCookie(headers.cookie);
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) throw new Problem('unauthenticated');
    return this.authenticator.byToken(token);
  }

  /** Fix the starting cursor before the client learns that it is connected, so that it misses no later change. */
  private async head(tenantId: string, userId: string): Promise<FeedCursor> {
    const seqs = await this.changes.seqs(tenantId, [userId]);
    return { seq: seqs.get(userId) ?? 0, id: LAST_ID };
  }

  private refusal(error: unknown): RefusedError {
    const problem = toProblem(error);
    if (ERRORS[problem.code].report)
      this.logger.error({ event: 'handshake_failed', code: problem.code, err: error });
    return new RefusedError(problem);
  }
}
