import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type PeopleChannel, PEOPLE_CHANNELS } from '../contracts/channels.js';
import { OPTIONAL_KINDS, type OptionalKind } from '../contracts/kind-lists.js';
import { CONFIG, type Config, publicUrl } from '../platform/config/config.js';
import { Signing } from './sessions/signing.js';
import { bytesOfUuid, UUID_BYTES, uuidOfBytes } from './uuid-bytes.js';

/**
 * A name in a token, in bytes: the start of its SHA-256. Names are stored and never change, so a token stays readable,
 * and its address short enough for a line of plain text.
 */
export const NAME_BYTES = 3;
const IDS = 2 * UUID_BYTES;
/** So that an address fits into a path: Fastify's `maxParamLength` is 200 (app.ts). */
const MAX_KINDS = 24;

/** The contents of a link's token: who gets which kinds on which channel. */
export interface UnsubscribeLink {
  tenant_id: string;
  user_id: string;
  channel: PeopleChannel;
  kinds: readonly OptionalKind[];
}

/**
 * The links in mails with which a user turns off the kinds in this mail without signing in (RFC 8058, RFC 2369). Whoever
 * has the mail has the link: it can do this one thing, and undo it. Its token is signed when the mail is sent, stored
 * nowhere, and does not expire: people unsubscribe from old mails, and CAN-SPAM (15 U.S.C. 7704(a)(3)) asks for 30 days
 * at least.
 */
@Injectable()
export class UnsubscribeLinks {
  constructor(
    private readonly signing: Signing,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The address of the page; null without VIGIE_PUBLIC_URL, because a mail provider could not reach it. */
  url({ tenant_id, user_id, channel, kinds }: UnsubscribeLink): string | null {
    if (this.config.publicUrl === null) return null;
    const names = [channel, ...kinds.slice(0, MAX_KINDS)].map(codeOf);
    const message = Buffer.concat([bytesOfUuid(tenant_id), bytesOfUuid(user_id), ...names]);
    const token = this.signing.seal('unsubscribe_link', message.toString('base64url'));
    return `${publicUrl(this.config)}/unsubscribe/${token}`;
  }

  /** The contents of a token; null if it was not signed here, or if this version knows none of its names. */
  read(token: string): UnsubscribeLink | null {
    const [text = ''] = this.signing.unseal('unsubscribe_link', token) ?? [];
    const message = Buffer.from(text, 'base64url');
    const names = message.subarray(IDS);
    if (names.length < 2 * NAME_BYTES || names.length % NAME_BYTES !== 0) return null;
    const has = (name: string, from: number) => {
      const code = codeOf(name);
      for (let at = from; at < names.length; at += NAME_BYTES)
        if (names.subarray(at, at + NAME_BYTES).equals(code)) return true;
      return false;
    };
    const channel = PEOPLE_CHANNELS.find((name) => codeOf(name).equals(names.subarray(0, NAME_BYTES)));
    const kinds = OPTIONAL_KINDS.filter((kind) => has(kind, NAME_BYTES));
    if (channel === undefined || kinds.length === 0) return null;
    return {
      tenant_id: uuidOfBytes(message.subarray(0, UUID_BYTES)),
      user_id: uuidOfBytes(message.subarray(UUID_BYTES, IDS)),
      channel,
      kinds,
    };
  }
}

function codeOf(name: string): Buffer {
  return createHash('sha256').update(name).digest().subarray(0, NAME_BYTES);
}
