import SMTPConnection from 'nodemailer/lib/smtp-connection';
import {
  mailerOptions,
  type SmtpSettings,
  type SmtpTimeouts,
} from '../../delivery/channels/email/email.settings.js';

/** nodemailer lets a login method of one's own exchange commands on the connection. */
const SENDER_PROBE = 'VIGIE-SENDER-PROBE';

/** The server's reply to the sender's address. */
export interface SenderReply {
  accepted: boolean;
  reply: string;
}

/**
 * Connects, encrypts and logs in with the settings of the server, offers the sender's address (MAIL FROM, then RSET)
 * and sends nothing.
 * @throws the error of nodemailer
 */
export async function trySender(settings: SmtpSettings, timeouts: SmtpTimeouts): Promise<SenderReply> {
  let reply = '';
  const options = mailerOptions(settings, timeouts).transport as SMTPConnection.Options;
  const connection = new SMTPConnection({
    ...options,
    customAuth: {
      ...options.customAuth,
      [SENDER_PROBE]: async (context) => {
        ({ response: reply } = await context.sendCommand(`MAIL FROM:<${settings.from_email}>`));
        await context.sendCommand('RSET');
      },
    },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject);
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    const { user, password } = settings;
    const login = (auth: SMTPConnection.AuthenticationType) =>
      new Promise<void>((resolve, reject) => {
        connection.login(auth, (error) => (error ? reject(error) : resolve()));
      });
    if (user !== null) await login({ credentials: { user, pass: password ?? '' } });
    await login({ method: SENDER_PROBE, credentials: { user: '', pass: '' } });
    return { accepted: reply.startsWith('2'), reply };
  } finally {
    connection.close();
  }
}
