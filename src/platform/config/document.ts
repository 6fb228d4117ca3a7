import { SCHEMA } from './schema.js';
import type { Variable } from './variables.js';

/** Section headings, by the first word of a setting's path in vigie.yml. */
const SECTIONS: Readonly<Record<string, string>> = {
  server: 'Server',
  logging: 'Logging',
  metrics: 'Metrics',
  heartbeat: 'Heartbeat',
  tracing: 'Traces',
  database: 'PostgreSQL',
  redis: 'Redis',
  auth: 'Sign-in',
  api: 'Requests',
  audit: 'Audit log',
  notifications: 'Notifications',
  email: 'E-mail',
  sms: 'Text messages',
  push: 'Pushes',
  webhooks: 'Webhooks',
  hooks: 'Provider events',
  limits: 'Limits',
  backups: 'Backups',
  scheduler: 'Dispatcher and scheduler',
  cleanup: 'Cleanup',
  delivery: 'Deliveries',
  workers: 'Workers',
};

const CONFIGURATION_INTRO = `# Configuration

<!-- Written by \`npm run docs\` from src/platform/config/schema.ts: change it there. -->

Vigie reads each setting from the first of these places that has it:

1. the environment;
2. \`.env\` in the working directory, or the file in \`VIGIE_ENV_FILE\` (empty: no file);
3. \`vigie.yml\` in the working directory, or the file in \`VIGIE_CONFIG\`;
4. its default.

An empty variable counts as unset. Vigie reports all faults at once, by name and without values, and exits with 1. An
unknown name in \`vigie.yml\` is a fault.

\`.env\` has one \`NAME=VALUE\` per line, each name once, and comments that begin with \`#\`. Put values that contain \`#\`,
\`$\` or spaces in single quotes: Docker Compose, systemd and Vigie then read them the same way.

\`<NAME>_FILE\` names a file that contains the value of a variable, for example a mounted secret. \`<NAME>\` takes
precedence. The last column of each table lists the names that earlier systems used; Vigie also reads these, after its
own.

Settings of one tenant (hours, time zone, limits) are in \`/api/v1/tenant/settings\`.
`;

const ENVIRONMENT_INTRO = `# Settings of Vigie with their defaults. Copy this file to .env in the working directory of Vigie and uncomment what you
# change. The environment takes precedence.
# Written by \`npm run docs\` from src/platform/config/schema.ts; see docs/configuration.md.
# <NAME>_FILE=<path> reads a setting from a file.

# YAML file with settings; the environment takes precedence. Unset: vigie.yml in the working directory.
#VIGIE_CONFIG=
`;

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  const parts = [...sections()].map(([section, variables]) => {
    const rows = variables.map((variable) => [
      `\`${variable.env}\``,
      `\`${variable.yaml}\``,
      variable.type,
      variable.default === null ? '' : `\`${variable.default}\``,
      inMarkdown(variable.secret ? `${variable.doc} Secret.` : variable.doc),
      variable.aliases.map((alias) => `\`${alias}\``).join(', '),
    ]);
    const head = ['Variable', 'In vigie.yml', 'Type', 'Default', 'Meaning', 'Also'];
    return `## ${headingOf(section)}\n\n${table([head, ...rows])}`;
  });
  return [CONFIGURATION_INTRO, ...parts].join('\n');
}

/** The text of .env.example. */
export function environmentExample(): string {
  const parts = [...sections()].map(([section, variables]) => {
    const lines = variables.map(({ env, doc, type, default: fallback }) => {
      return `# ${doc}\n# ${type[0]?.toUpperCase()}${type.slice(1)}.\n#${env}=${fallback ?? ''}\n`;
    });
    return `# --- ${headingOf(section)} ---\n\n${lines.join('\n')}`;
  });
  return [ENVIRONMENT_INTRO, ...parts].join('\n');
}

function sections(): Map<string, Variable<unknown>[]> {
  const bySection = new Map<string, Variable<unknown>[]>();
  for (const variable of Object.values<Variable<unknown>>(SCHEMA)) {
    const section = variable.yaml.slice(0, variable.yaml.indexOf('.'));
    bySection.set(section, [...(bySection.get(section) ?? []), variable]);
  }
  return bySection;
}

function headingOf(section: string): string {
  const heading = SECTIONS[section];
  if (heading === undefined) throw new Error(`the section ${section} of the configuration has no heading`);
  return heading;
}

/** `<PORT>` would be parsed as markup and not be shown. */
function inMarkdown(text: string): string {
  return text.replaceAll('<', '\\<');
}

/** A Markdown table as Prettier formats it: cells padded to the width of their column. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_cell, column) => Math.max(...escaped.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |\n`;
  const [titles = [], ...body] = escaped;
  return [line(titles), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('');
}
