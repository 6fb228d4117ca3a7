import type { Readable } from 'node:stream';
import type { ISendMailOptions } from '@nestjs-modules/mailer';
import type { PluginFunction } from 'nodemailer/lib/mailer';
import type { SendLease } from '../sender.js';
import { streamOf, wholeMessage } from './message.js';

/** How far one mail has come. The reply is what nodemailer's promise brings. */
type Phase =
  /** In the pool, or its connection is being made: the server knows nothing of this mail. */
  | 'waiting'
  /** A connection that is logged in writes the envelope: the server has no message. */
  | 'envelope'
  /** 354 was received, the body is being written, without its final dot: the server must not deliver it. */
  | 'body'
  /** All of it was handed to the socket, the final dot too: only a reply says whether it was accepted. */
  | 'written';

/** Why we stopped a send ourselves. `channel`: another one showed that the server takes none. */
type Stop = 'lease' | 'time' | 'channel';

/** How far an attempt came, for those who judge its failure. */
export type Progress = Pick<Attempt, 'stopped' | 'underWay' | 'written'>;

/** The mail data handed to nodemailer, with the attempt it belongs to. */
export interface AttemptedMail extends ISendMailOptions {
  attempt: Attempt;
}

/**
 * One mail on its way through nodemailer's pool. nodemailer reports the same error before and after DATA, so
 * the phase is taken from the message's own stream: SMTPConnection creates it when a connection takes the
 * mail, and pipes it (`message.pipe(dataStream)`) only in the callback of the 354. The stream it pipes to
 * adds the final dot and writes to the socket; its `end` comes when its last byte was written there. Streams
 * belong to one mail, hence this is exact however many connections there are, and it logs nothing.
 */
export class Attempt {
  private phase: Phase = 'waiting';
  private stop: Stop | null = null;
  private readonly abort = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly onLeaseLost = () => {
    if (this.phase === 'waiting' || this.phase === 'envelope') this.giveUp('lease');
  };
  private reused = false;
  private data: Readable | null = null;

  /** @param limit_ms time for the whole send; after it the connection is closed. */
  constructor(
    private readonly lease: SendLease,
    limit_ms: number,
  ) {
    this.timer = setTimeout(() => {
      this.giveUp('time');
    }, limit_ms);
    lease.signal.addEventListener('abort', this.onLeaseLost, { once: true });
  }

  /** Aborting takes the mail out of the pool's queue, or closes the connection that has it. */
  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** The server may have accepted the mail. */
  get written(): boolean {
    return this.phase === 'written';
  }

  /** A connection has had it: what failed then may be due to this mail. */
  get underWay(): boolean {
    return this.phase !== 'waiting';
  }

  /** Its connection had carried other mails, and ended before the server had any of this one: a stale connection. */
  get metStaleConnection(): boolean {
    return this.reused && this.phase === 'envelope' && this.stop === null;
  }

  get stopped(): Stop | null {
    return this.stop;
  }

  /** Ends the watch. */
  end(): void {
    clearTimeout(this.timer);
    this.lease.signal.removeEventListener('abort', this.onLeaseLost);
  }

  /** Gives up unless a connection has it: it is not worth another login. */
  giveUpWaiting(): void {
    if (this.phase === 'waiting') this.giveUp('channel');
  }

  /** It failed: where the server refused it early, the rest of the body and the final dot stay here. */
  failed(): void {
    if (this.phase === 'body') this.data?.unpipe();
  }

  /** A connection has taken the mail and is about to write its envelope. */
  taken(): void {
    if (this.lease.isValid()) this.phase = 'envelope';
    else this.giveUp('lease');
  }

  /** The connection that ended under it had carried other mails. */
  onReusedConnection(): void {
    this.reused = true;
  }

  /** The server answered 354 to DATA. False: write nothing, the connection is being closed. */
  begin(data: Readable): boolean {
    if (this.stop === null && !this.lease.isValid()) this.giveUp('lease');
    if (this.stop !== null) return false;
    this.phase = 'body';
    this.data = data;
    data.once('end', () => {
      this.phase = 'written';
    });
    return true;
  }

  private giveUp(why: Stop): void {
    if (this.stop !== null) return;
    this.stop = why;
    this.abort.abort();
  }
}

/**
 * The nodemailer plugin (step `stream`) that ties the message's stream to its attempt. The whole message
 * goes to the socket as one piece where it can: see `wholeMessage`.
 */
export const watchMessage: PluginFunction = (mail, done) => {
  const { attempt } = mail.data as AttemptedMail;
  const { message } = mail;
  const createReadStream = message.createReadStream.bind(message);
  message.createReadStream = (options) => {
    attempt.taken();
    const bytes = wholeMessage(message);
    const stream = bytes === null ? createReadStream(options) : streamOf(bytes);
    // The pool asks this only when a connection that it used before ends early. "Not read" would make it drop the
    // server's words (a 421 and its reason) for "Reached maximum number of retries".
    Object.defineProperty(stream, 'readableDidRead', {
      get: () => {
        attempt.onReusedConnection();
        return true;
      },
    });
    const pipe = stream.pipe.bind(stream);
    stream.pipe = <T extends NodeJS.WritableStream>(destination: T): T =>
      attempt.begin(destination as unknown as Readable) ? pipe(destination) : destination;
    return stream;
  };
  done();
};
