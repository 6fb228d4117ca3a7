import type { Random } from '../../../test/faults/random.js';
import { good, type ReportedFields } from '../agent.fixture.js';
import { DATABASE_FIELDS } from './database-fields.js';
import { REPORT_LIMIT } from './status-report.js';

/** A file in the place of a report. */
export interface HostileReport {
  what: string;
  bytes: Buffer;
  /** Whether it is a valid report; absent if file and REST only have to agree. */
  valid?: boolean;
}

type Change = [what: string, valid: boolean, change: (report: Report) => unknown];
interface Report extends Record<string, unknown> {
  databases: Record<string, ReportedFields>;
}

const NESTED = 100_000;
const nested = `${'{"a":'.repeat(NESTED)}1${'}'.repeat(NESTED)}`;

/** Changes of one field of the report. */
const field = (name: string, valid: boolean, ...values: unknown[]): Change[] =>
  values.map((value) => [`${name}: ${shown(value)}`, valid, (report) => ({ ...report, [name]: value })]);

/** Changes of a field of the only database. */
const databaseField = (name: string, valid: boolean, ...values: unknown[]): Change[] =>
  values.map((value) => [
    `its ${name}: ${shown(value)}`,
    valid,
    (report) => ({ ...report, databases: { compta: { ...report.databases.compta, [name]: value } } }),
  ]);

/** Names of databases. */
const named = (valid: boolean, ...names: string[]): Change[] =>
  names.map((name) => [
    `a database ${shown(name)}`,
    valid,
    (report) => ({ ...report, databases: Object.fromEntries([[name, report.databases.compta]]) }),
  ]);

const many = (count: number): Change => [
  `${count} databases`,
  count <= 1_000,
  (report) => ({
    ...report,
    databases: Object.fromEntries(
      Array.from({ length: count }, (_, number) => [`db${number}`, { status: 'failed' }]),
    ),
  }),
];

const HASH = 'a1'.repeat(32);

const CHANGES: Change[] = [
  ...field('operation_timestamp_utc', false, '2026-03-31T06:10:01Z', '2026-02-30T20:00:00Z'),
  ...field(
    'operation_timestamp_utc',
    false,
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '1999-12-31T23:59:59Z',
  ),
  ...field('operation_timestamp_utc', false, '2026-03-29T20:00:60Z', '2026-03-29T20:00:00+99:99'),
  ...field(
    'operation_timestamp_utc',
    false,
    '２０２６-03-29T20:00:00Z',
    '2026-03-29',
    '',
    null,
    1_774_814_400,
    [],
    {},
  ),
  ...field(
    'operation_timestamp_utc',
    true,
    '2026-03-29T20:00Z',
    '2026-03-29T19:00:00',
    '2026-03-29 19:00:01Z',
    '2026-03-29T19:00:02.5+0000',
    '2026-03-29T20:00:01.123456789Z',
    '2026-03-31T06:09:59Z',
  ),
  ...field('operation_timestamp_utc', true, '2026-03-29T20:00:02+14:00', '2026-03-28T24:00:00Z'),
  ...field('agent_id', false, 'someone-else', 'AGENT-F', '', '..', 'a/b', 'a'.repeat(101), null, 7, [
    'agent-f',
  ]),
  ...field(
    'company_name',
    false,
    '',
    ' ',
    'x'.repeat(101),
    'a\nb',
    'a\u0000b',
    '\ud800',
    '\u007f',
    null,
    7,
    [],
    {},
  ),
  ...field(
    'company_name',
    true,
    'é'.repeat(100),
    '../..',
    'CON',
    '\u202egnp.exe',
    '𝕏',
    "Robert'); DROP TABLE--",
  ),
  ...field('city', false, '', undefined, 'x'.repeat(101), false),
  ...field('neighborhood', true, '', null, 'Croix-Rousse'),
  ...field('neighborhood', false, ' ', 'x'.repeat(101), 7, []),
  ...field('databases', false, {}, [], null, 'compta', 7, undefined, [{ status: 'failed' }]),
  ...field('databases', true, { compta: null }, { compta: [] }, { compta: 'success' }, { compta: 7 }),
  ...field('more', true, 'of it', null, nestedOf(31)),
  ...field('more', false, nestedOf(33)),
  ...field('constructor', false, { prototype: { status: 'success' } }),
  ...databaseField('status', true, 'ok', 'SUCCESS', '', null, undefined, 0, true, [], {}, ['failed']),
  ...databaseField('hash_sha256', true, HASH.toUpperCase(), 'aA'.repeat(32)),
  ...databaseField(
    'hash_sha256',
    true,
    HASH.slice(1),
    `${HASH}0`,
    `g${HASH.slice(1)}`,
    `${HASH}\n`,
    ` ${HASH}`,
    `0x${HASH.slice(2)}`,
  ),
  ...databaseField('hash_sha256', true, '', null, undefined, 7, [HASH], {}),
  ...databaseField('size_bytes', true, -1, 2 ** 60, 1.5, '12', true, [], {}, 2 ** 53),
  ...databaseField('size_bytes', true, 0, null, '', undefined, 2 ** 53 - 1),
  ...databaseField('compress_size_pre_compress', true, -0.5, 2 ** 63),
  ...databaseField(
    'agent_transfer_process_start_time_utc',
    true,
    '2026-03-29T20:00:00',
    '2026-04-01T00:00:00Z',
    7,
  ),
  ...databaseField('agent_transfer_process_timestamp_utc', true, '', null, '2026-03-29T21:00:00+02:00'),
  ...databaseField('staged_file_name', true, '', null, 'x'.repeat(1_001), 'a\u0000b', 7, []),
  ...databaseField('staged_file_name', true, '\udc00'),
  ...databaseField(
    'staged_file_name',
    true,
    'x'.repeat(1_000),
    '../../etc/passwd',
    'a\nb',
    '\u202e',
    'é'.repeat(128),
  ),
  ...databaseField('logs_summary', true, '\ud800'),
  ...databaseField('logs_summary', true, 'x'.repeat(500_000), 'a\u0000b\u001b[31m', '\r\n', null, ''),
  ...databaseField('error_msg', true, 7, [], {}, true),
  ...databaseField('__unknown__', true, 1),
  ...named(
    true,
    'toString',
    'hasOwnProperty',
    '../..',
    'a/b',
    'C:\\data',
    '.',
    'x'.repeat(100),
    '🗄️'.repeat(25),
    'CON',
  ),
  ...named(true, '', ' ', 'compta ', 'x'.repeat(101), 'a\nb', 'a\u0000', 'prototype'),
  ...named(false, '\udfff', 'constructor'),
  many(1_000),
  many(1_001),
  [
    'two spellings of one name',
    true,
    (report) => ({
      ...report,
      databases: { '\u00e9': { status: 'failed' }, 'e\u0301': { status: 'failed' } },
    }),
  ],
];

/** Text that JSON.stringify does not write. */
function texts(valid: string): [what: string, valid: boolean, text: string | Buffer][] {
  const databases = valid.slice(valid.indexOf('"databases"'), -1);
  const inside = (text: string) => valid.replace(/}$/, `,${text}}`);
  const spaces = (count: number) => `${valid}${' '.repeat(count - Buffer.byteLength(valid))}`;
  return [
    ['nothing', false, ''],
    ['blanks', false, ' \n\t '],
    ['a byte order mark', true, `\ufeff${valid}`],
    ['two byte order marks', false, `\ufeff\ufeff${valid}`],
    ['UTF-16, little endian', false, Buffer.from(`\ufeff${valid}`, 'utf16le')],
    ['UTF-16, big endian', false, Buffer.from(`\ufeff${valid}`, 'utf16le').swap16()],
    ['Latin-1', false, Buffer.from(valid.replace('Lyon', 'Orléans'), 'latin1')],
    ['a surrogate as UTF-8 has none', false, bytesIn(valid, [0xed, 0xa0, 0x80])],
    ['NUL in more bytes than it needs', false, bytesIn(valid, [0xc0, 0x80])],
    ['a byte that no text has', false, bytesIn(valid, [0xff])],
    ['NUL in a text', false, valid.replace('Lyon', 'Ly\0on')],
    ['only NUL, as after a crash', false, Buffer.alloc(1_000)],
    ['a report, and NUL up to the block', false, `${valid}${'\0'.repeat(100)}`],
    ...['[]', '[{}]', 'null', 'true', '42', '"text"', '{}', 'undefined', 'NaN', '{', '}'].map(
      (text) => [text, false, text] as [string, boolean, string],
    ),
    ['brackets 100,000 deep', false, `${'['.repeat(NESTED)}${']'.repeat(NESTED)}`],
    ['brackets 100,000 deep, torn', false, '['.repeat(NESTED)],
    ['objects 100,000 deep', false, nested],
    ['a field 100,000 deep', false, inside(`"more":${nested}`)],
    ['a database 100,000 deep', false, valid.replace(/"status":"success"/, `"status":${nested}`)],
    ['as large as may be', true, spaces(REPORT_LIMIT)],
    ['one byte too large', false, spaces(REPORT_LIMIT + 1)],
    ['a million digits', false, '1'.repeat(1_000_000)],
    [
      'a size of a thousand digits',
      true,
      valid.replace(/"size_bytes":\d+/, `"size_bytes":${'9'.repeat(1_000)}`),
    ],
    ['a size of 1e400', true, valid.replace(/"size_bytes":\d+/, '"size_bytes":1e400')],
    ['a size of -0', true, valid.replace(/"size_bytes":\d+/, '"size_bytes":-0')],
    ['__proto__', false, inside('"__proto__":{"company_name":"x"}')],
    ['__proto__ of a database', false, valid.replace('"status"', '"__proto__":{"status":"failed"},"status"')],
    ['a database __proto__', false, valid.replace('"compta"', '"__proto__"')],
    ['__proto__ beside a database', false, valid.replace('"compta"', '"__proto__":{},"compta"')],
    ['a field twice, the last one good', false, `{"company_name":7,${valid.slice(1)}`],
    ['a field twice, the last one bad', false, inside('"company_name":7')],
    ['databases twice', false, `{"databases":{},${valid.slice(1)}`],
    ['a database twice', false, valid.replace('"databases":{', '"databases":{"compta":{"status":"failed"},')],
    ['two reports', false, valid + valid],
    ['something behind it', false, `${valid};`],
    ['a comma too many', false, inside('').replace(/,}$/, ',}')],
    ['a comment', false, `/* nightly */${valid}`],
    ['single quotes', false, valid.replaceAll('"', "'")],
    ['its second half', false, databases],
  ];
}

/** Generates `count` reports: wrong types per field, truncation, flipped bytes. */
export function hostileReports(random: Random, count: number, report: () => Report): HostileReport[] {
  const found: HostileReport[] = [];
  for (const [what, valid, change] of CHANGES) {
    found.push({ what, valid, bytes: Buffer.from(JSON.stringify(change(report()))) });
  }
  for (const index of texts(JSON.stringify(report())).keys()) {
    // Based on a new report, so that none repeats an earlier one.
    const [what, valid, text] = texts(JSON.stringify(report()))[index]!;
    found.push({ what, valid, bytes: Buffer.from(text as string) });
  }
  for (const name of DATABASE_FIELDS.toSorted()) {
    const value = [{ a: 1 }, [1], 1.5, true, 'x'][random.between(0, 4)];
    const changed = report();
    found.push({
      what: `its ${name}: ${shown(value)}`,
      bytes: Buffer.from(
        JSON.stringify({ ...changed, databases: { compta: { ...changed.databases.compta, [name]: value } } }),
      ),
    });
  }
  const length = JSON.stringify(report()).length;
  const places = random.shuffled(Array.from({ length: length - 2 }, (_, before) => before + 2));
  while (found.length < count) {
    const bytes = Buffer.from(JSON.stringify(report()));
    const place = places.pop()!;
    if (found.length % 2 === 0) {
      found.push({ what: `torn after ${place} bytes`, valid: false, bytes: bytes.subarray(0, place) });
    } else {
      const bit = 1 << random.between(0, 7);
      bytes.writeUInt8(bytes.readUInt8(place) ^ bit, place);
      found.push({ what: `bit ${bit} of byte ${place} flipped`, bytes });
    }
  }
  return found;
}

/** A valid report of an agent, each with its own minute. */
export function reportsOf(agent_id: string): () => Report {
  let minutes = 0;
  return () => {
    minutes += 1;
    return {
      operation_timestamp_utc: new Date(Date.UTC(2026, 2, 29, 8, minutes)).toISOString(),
      agent_id,
      company_name: 'Boulangerie Martin',
      city: 'Lyon',
      databases: { compta: good('compta.bak', 'the ledger') },
    };
  };
}

function nestedOf(depth: number): unknown {
  return depth === 0 ? 1 : [nestedOf(depth - 1)];
}

/** Replaces a word of the text by bytes. */
function bytesIn(text: string, bytes: number[]): Buffer {
  const [before = '', after = ''] = text.split('Lyon');
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
}

function shown(value: unknown): string {
  const text = value === undefined ? 'left out' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 40)}… (${text.length})` : text;
}
