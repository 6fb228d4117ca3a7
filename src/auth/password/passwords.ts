import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { invalid } from '../../platform/errors/problem.js';
import { isCommonPassword } from './common-passwords.js';

/** OWASP's Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** The message for a refused password. */
export const TOO_COMMON = 'is too common: attackers try it first';

/** The hash of a random password, at the same cost. */
const NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$avv8vZk4pCrE6dWCCDL/Mw$mIO3NmG0fW9ALDn3KvjQnPp/cGawNm5hFTKqG4ZUNgQ';

/** Hashes and checks passwords (argon2id). */
@Injectable()
export class Passwords {
  async hash(password: string): Promise<string> {
    return hash(canonical(password), COST);
  }

  /**
   * The hash of a new password.
   * @param field its JSON Pointer in the request. @throws Problem validation_failed for a common one.
   */
  async hashChosen(password: string, field: string): Promise<string> {
    if (await isCommonPassword(password)) throw invalid(field, TOO_COMMON);
    return this.hash(password);
  }

  /** Without a hash (an unknown user, no password yet) it takes as long, and returns false. */
  async verify(stored: string | null, password: string): Promise<boolean> {
    const right = await verify(stored ?? NOBODY, canonical(password));
    return right && stored !== null;
  }
}

/** Keyboards differ in how they compose an é; NIST SP 800-63B §3.1.1.2 requires one form before hashing. */
function canonical(password: string): string {
  return password.normalize('NFKC');
}
