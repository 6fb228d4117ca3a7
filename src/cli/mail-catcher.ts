import { type CaughtMail, startMailCatcher } from './demo/mail-catcher.js';

export interface CatchOptions {
  port: number;
  /** Folder that keeps the mails for the console; null: they are only printed. */
  folder: string | null;
  /** One JSON object a line: what it listens on, then each mail. */
  json: boolean;
}

/**
 * `vigie mail-catcher`: prints each mail that arrives on loopback, for development. Runs until the process ends.
 * @throws Error in plain words if the port is invalid or in use.
 */
export async function catchMails({ port, folder, json }: CatchOptions): Promise<void> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('--port must be 0 to 65535');
  const show = (mail: CaughtMail) => console.log(json ? asJson(mail) : asText(mail));
  const catcher = await startMailCatcher({ port, onMail: show, folder }).catch((error: unknown) => {
    throw isTaken(error) ? new Error(`port ${port} is taken: choose another with --port`) : error;
  });
  if (json) {
    console.log(JSON.stringify({ smtp_host: '127.0.0.1', smtp_port: catcher.port, smtp_tls: false, folder }));
    return;
  }
  const kept = folder === null ? '' : ` CAUGHT_MAILS_DIR=${folder}`;
  console.log(
    `Catching mails: SMTP_HOST=127.0.0.1 SMTP_PORT=${catcher.port} SMTP_TLS=false${kept}. Nothing is delivered.`,
  );
}

function asJson({ headers, ...mail }: CaughtMail): string {
  return JSON.stringify({ ...mail, headers: Object.fromEntries(headers) });
}

function asText({ to, subject, text }: CaughtMail): string {
  return ['', `─── To: ${to.join(', ')}`, `    Subject: ${subject}`, '', text.trim(), ''].join('\n');
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
