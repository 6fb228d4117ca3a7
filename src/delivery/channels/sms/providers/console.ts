import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../../../platform/clock/clock.js';
import { LEASE_LOST, SendError, type SendLease } from '../../sender.js';
import type { OutgoingSms, SmsProvider } from '../sms-provider.js';

/** Only the user of this process may read it: it has numbers and texts. */
const MODE = 0o600;
const FOLDER_MODE = 0o700;

/** For development: writes text messages to a file, a line of JSON each, and sends none. */
export class ConsoleSms implements SmsProvider {
  /** @param file path of the file; created with the first message, like its folder */
  constructor(
    private readonly file: string,
    private readonly clock: Clock,
  ) {}

  async send({ id, to, text, segments }: OutgoingSms, lease: SendLease): Promise<string | null> {
    if (!lease.isValid()) throw new SendError('retryable', LEASE_LOST);
    await this.append(`${JSON.stringify({ at: this.clock.now().toISOString(), id, to, text, segments })}\n`);
    return null;
  }

  /** The file can be written. */
  async verify(): Promise<void> {
    await this.append('');
  }

  private async append(line: string): Promise<void> {
    try {
      await mkdir(dirname(this.file), { recursive: true, mode: FOLDER_MODE });
      await appendFile(this.file, line, { mode: MODE });
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new SendError(
        'channel',
        `the simulation file cannot be written: ${words}`,
        undefined,
        'misconfigured',
      );
    }
  }
}
