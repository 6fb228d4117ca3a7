import { SCHEMA } from './schema.js';
import type { Variable } from './variables.js';

/** Section headings, by the first word of a setting's path in vigie.yml. */
const SECTIONS: Readonly<Record<string, string>> = {
  server: 'Server',
  logging: 'Logging',
  metrics: 'Metrics',
  database: 'PostgreSQL',
  redis: 'Redis',
  auth: 'Sign-in',
  api: 'Requests',
  audit: 'Audit log',
  notifications: 'Notifications',
  email: 'E-mail',
  limits: 'Limits',
  backups: 'Backups',
  scheduler: 'Dispatcher and scheduler',
  cleanup: 'Cleanup',
  delivery: 'Deliveries',
  workers: 'Workers',
};

const CONFIGURATION_INTRO = `# Configuration

<!-- Written by \`npm run docs\` from src/platform/config/schema.ts: change it there. -->

A setting comes from the environment, else from \`.env\` in the working directory (or from the file that
\`VIGIE_ENV_FILE\` names; none where that is empty), else from \`vigie.yml\` there (or from the file that
\`VIGIE_CONFIG\` names), else it has its default. An empty variable is an unset one. All faults are reported
together, by name and without values, and the process exits with 1; an unknown name in \`vigie.yml\` is a fault.

\`.env\` has one \`NAME=VALUE\` a line, each name once, and comments that begin with \`#\`. Put a value that holds \`#\`,
\`$\` or blanks in single quotes: Docker Compose, systemd and Vigie then read it alike.

\`<NAME>_FILE\` names a file that holds the value of any variable, for secrets that a container mounts. \`<NAME>\`
itself comes first. The last column of each table has the names that earlier systems used; they are understood
too, after Vigie's own.

What belongs to one tenant (hours, time zone, limits of its own) is not here but in its settings,
\`/api/v1/tenant/settings\`.
`;

const ENVIRONMENT_INTRO = `# Settings of Vigie, each with its default. Copy to .env in the folder that Vigie starts in, and uncomment what you
# change. The environment comes first.
# Written by \`npm run docs\` from src/platform/config/schema.ts; docs/configuration.md says more.
# <NAME>_FILE=<path> reads any of them from a file.

# A YAML file with settings; the environment comes first. Unset: vigie.yml in the working directory.
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
