import type { BackupFolders } from './backup-folders.js';
import type { Listener } from './listener.js';
import type { CaughtMail, MailCatcher } from './mail-catcher.js';
import type { DemoServer } from './server.js';
import type { DemoTenant } from './tenant.js';

/** Prints the demo's results, and records whether all were as expected. */
export class Report {
  private readonly missed: string[] = [];
  private met = 0;

  get ok(): boolean {
    return this.missed.length === 0;
  }

  step(text: string): void {
    console.log(`\n${text} …`);
  }

  done(text: string): void {
    console.log(`  ${text}`);
  }

  counts(tenant: string, counts: Readonly<Record<string, number>>): void {
    const shown = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
    console.log(`  ${tenant}: ${shown.join(', ')}`);
  }

  expect<Value extends number | string>(what: string, found: Value | undefined, expected: Value): void {
    this.compare(what, found, expected, `${what}: `);
  }

  /** Prints a result as a line of a board, after columns of fixed width. */
  row(columns: readonly string[], found: string | undefined, expected: string): void {
    this.compare(columns.map((column) => column.trim()).join(' '), found, expected, `${columns.join(' ')} `);
  }

  private compare(
    what: string,
    found: number | string | undefined,
    expected: number | string,
    before: string,
  ) {
    if (found === expected) this.met += 1;
    else this.missed.push(`${what}: ${found ?? 'none'} instead of ${expected}`);
    console.log(`  ${found === expected ? '✓' : '✗'} ${before}${found ?? 'none'}`);
  }

  /** Prints each mail on a line, as an inbox would list it. */
  mails(mails: readonly CaughtMail[]): void {
    const byReader = group(mails);
    for (const [reader, theirs] of byReader) {
      console.log(`  ${reader}`);
      for (const mail of theirs) console.log(`    ${mail.subject}`);
    }
  }

  live(listeners: readonly Listener[]): void {
    const [first] = listeners.flatMap(({ created }) => created);
    if (first !== undefined) console.log(`  live: ${first.title} [${first.severity}]`);
  }

  verdict(): void {
    if (this.ok) console.log(`\nAll ${this.met} expectations were met.`);
    else console.log(`\n${this.missed.length} expectations were not met:\n  ${this.missed.join('\n  ')}`);
  }

  /** Where a newcomer can click, and what to type there. */
  private invitation({ url }: DemoServer, [first]: readonly DemoTenant[]): string {
    const [user] = first?.users ?? [];
    if (first === undefined || user === undefined) return '';
    const address = `${url}/sign-in?${new URLSearchParams({ tenant: first.sample.slug, email: user.email }).toString()}`;
    return `Open            ${address}\nPassword        ${user.password}\n`;
  }

  farewell(
    server: DemoServer,
    catcher: MailCatcher,
    folders: BackupFolders,
    smsFile: string,
    tenants: readonly DemoTenant[],
    operator: { email: string; password: string },
  ): void {
    const rows = tenants.flatMap(({ sample, users }) =>
      users.map(({ email, password }) => `  ${sample.slug.padEnd(20)} ${email.padEnd(40)} ${password}`),
    );
    console.log(`
API             ${server.url}/api/v1
Documentation   ${server.url}/docs
Health          ${server.url}/readyz
SMTP catcher    127.0.0.1:${catcher.port}
Text messages   ${smsFile}
Backup inbox    ${folders.inbox}
Backup store    ${folders.store}
Server log      ${server.log_file}

  tenant               e-mail                                   password
  (operator)           ${operator.email.padEnd(40)} ${operator.password}
${rows.join('\n')}

${this.invitation(server, tenants)}
Serving until Ctrl-C.`);
  }

  failed(error: unknown, logFile: string): void {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    console.error(`The server's log: ${logFile}`);
  }
}

function group(mails: readonly CaughtMail[]): Map<string, CaughtMail[]> {
  const groups = new Map<string, CaughtMail[]>();
  for (const mail of mails) {
    const reader = mail.to.join(', ');
    groups.set(reader, [...(groups.get(reader) ?? []), mail]);
  }
  return groups;
}
