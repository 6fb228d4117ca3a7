import { type CaughtMail, startMailCatcher } from './demo/mail-catcher.js';

/**
 * `vigie mail-catcher`: prints each mail that arrives on loopback, for development. Runs until the process ends.
 * @throws Error in plain words if the port is invalid or in use.
 */
export async function catchMails(port: number): Promise<void> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('--port must be 0 to 65535');
  const catcher = await startMailCatcher({ port, onMail: (mail) => console.log(asText(mail)) }).catch(
    (error: unknown) => {
      throw isTaken(error) ? new Error(`port ${port} is taken: choose another with --port`) : error;
    },
  );
  console.log(
    `Catching mails: SMTP_HOST=127.0.0.1 SMTP_PORT=${catcher.port} SMTP_TLS=false. Nothing is delivered.`,
  );
}

function asText({ to, subject, text }: CaughtMail): string {
  return ['', `─── To: ${to.join(', ')}`, `    Subject: ${subject}`, '', text.trim(), ''].join('\n');
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
