import type { Listener } from './listener.js';
import type { CaughtMail } from './mail-catcher.js';
import type { DemoServer } from './server.js';

/** What the last message of the demo needs of a tenant. */
interface ShownTenant {
  sample: { slug: string };
  users: readonly { email: string; password: string }[];
}

/** Prints the demo's results, and records whether all were as expected. */
export class Report {
  private readonly missed: string[] = [];
  private met = 0;

  /** @param print takes what a person reads: standard output, or standard error if a program reads the result */
  constructor(private readonly print: (text: string) => void = console.log) {}

  /** The result for programs. */
  get summary(): { ok: boolean; met: number; missed: readonly string[] } {
    return { ok: this.ok, met: this.met, missed: this.missed };
  }

  get ok(): boolean {
    return this.missed.length === 0;
  }

  step(text: string): void {
    this.print(`\n${text} …`);
  }

  done(text: string): void {
    this.print(`  ${text}`);
  }

  counts(tenant: string, counts: Readonly<Record<string, number>>): void {
    const shown = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
    this.print(`  ${tenant}: ${shown.join(', ')}`);
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
    this.print(`  ${found === expected ? '✓' : '✗'} ${before}${found ?? 'none'}`);
  }

  /** Prints each mail on a line, as an inbox would list it. */
  mails(mails: readonly CaughtMail[]): void {
    const byReader = group(mails);
    for (const [reader, theirs] of byReader) {
      this.print(`  ${reader}`);
      for (const mail of theirs) this.print(`    ${mail.subject}`);
    }
  }

  live(listeners: readonly Listener[]): void {
    const [first] = listeners.flatMap(({ created }) => created);
    if (first !== undefined) this.print(`  live: ${first.title} [${first.severity}]`);
  }

  verdict(): void {
    if (this.ok) this.print(`\nAll ${this.met} expectations were met.`);
    else this.print(`\n${this.missed.length} expectations were not met:\n  ${this.missed.join('\n  ')}`);
  }

  /** Where a newcomer can click, and what to type there. */
  private firstSignIn(url: string, [first]: readonly ShownTenant[]): string {
    const [user] = first?.users ?? [];
    if (first === undefined || user === undefined) return '';
    const address = `${url}/sign-in?${new URLSearchParams({ tenant: first.sample.slug, email: user.email }).toString()}`;
    return `Open            ${address}\nPassword        ${user.password}\n`;
  }

  accessList(
    server: Pick<DemoServer, 'url' | 'log_file'>,
    catcher: { port: number },
    folders: { inbox: string; store: string },
    smsFile: string,
    tenants: readonly ShownTenant[],
    operator: { email: string; password: string },
  ): void {
    const rows = tenants.flatMap(({ sample, users }) =>
      users.map(({ email, password }) => `  ${sample.slug.padEnd(20)} ${email.padEnd(40)} ${password}`),
    );
    this.print(`
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

${this.firstSignIn(server.url, tenants)}
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
