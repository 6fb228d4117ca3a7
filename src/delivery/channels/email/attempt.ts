import type { Readable } from 'node:stream';
import type { ISendMailOptions } from '@nestjs-modules/mailer';
import type { PluginFunction } from 'nodemailer/lib/mailer';
import type { SendLease } from '../sender.js';
import { streamOf, wholeMessage } from './message.js';

/** How far the sending of a mail has got. nodemailer's promise gives the reply. */
type Phase =
  /** In the pool, or connecting: the server knows nothing of this mail. */
  | 'waiting'
  /** A logged-in connection writes the envelope: the server has no message. */
  | 'envelope'
  /** 354 was received, the body is being written, without its final dot: the server must not deliver it. */
  | 'body'
  /** All of it was written to the socket, including the final dot: only a reply shows whether it was accepted. */
  | 'written';

/** Why we stopped a send. `channel`: another send showed that the server accepts none. */
type Stop = 'lease' | 'time' | 'channel';

/** How far an attempt has got, to classify its failure. */
export type Progress = Pick<Attempt, 'stopped' | 'underWay' | 'written'>;

/** The mail data handed to nodemailer, with the attempt it belongs to. */
export interface AttemptedMail extends ISendMailOptions {
  attempt: Attempt;
}

/**
 * One mail in nodemailer's pool. nodemailer reports the same error before and after DATA, so the phase is taken from
 * the message's own stream: SMTPConnection creates it when a connection takes the mail, and pipes it
 * (`message.pipe(dataStream)`) only in the callback of the 354. The stream it pipes to adds the final dot and writes to
 * the socket; it emits `end` after writing the last byte. Streams belong to one mail, so this is exact for any number
 * of connections, and it logs nothing.
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

  /** @param limit_ms time for the whole send; then the connection is closed. */
  constructor(
    private readonly lease: SendLease,
    limit_ms: number,
  ) {
    this.timer = setTimeout(() => {
      this.giveUp('time');
    }, limit_ms);
    lease.signal.addEventListener('abort', this.onLeaseLost, { once: true });
  }

  /** Aborting removes the mail from the pool's queue, or closes its connection. */
  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** The server may have accepted the mail. */
  get written(): boolean {
    return this.phase === 'written';
  }

  /** A connection has taken it: a later failure may be due to this mail. */
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

  /** Stops watching. */
  end(): void {
    clearTimeout(this.timer);
    this.lease.signal.removeEventListener('abort', this.onLeaseLost);
  }

  /** Gives up unless a connection has taken it: a retry would cost another login. */
  giveUpWaiting(): void {
    if (this.phase === 'waiting') this.giveUp('channel');
  }

  /** It failed: after an early refusal, the rest of the body and the final dot are not sent. */
  failed(): void {
    if (this.phase === 'body') this.data?.unpipe();
  }

  /** A connection has taken the mail and is about to write its envelope. */
  taken(): void {
    if (this.lease.isValid()) this.phase = 'envelope';
    else this.giveUp('lease');
  }

  /** The connection that ended had carried other mails before. */
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
 * The nodemailer plugin (step `stream`) that connects the message's stream to its attempt. Writes the whole message to
 * the socket at once if possible: see `wholeMessage`.
 */
export const watchMessage: PluginFunction = (mail, done) => {
  const { attempt } = mail.data as AttemptedMail;
  const { message } = mail;
  const createReadStream = message.createReadStream.bind(message);
  message.createReadStream = (options) => {
    attempt.taken();
    const bytes = wholeMessage(message);
    const stream = bytes === null ? createReadStream(options) : streamOf(bytes);
    // The pool checks this only when a reused connection ends early. "Not read" would make it replace the server's
    // reply (a 421 and its reason) by "Reached maximum number of retries".
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
