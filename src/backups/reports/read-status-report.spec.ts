import { cpuMs } from '../../../test/support/cpu-time.js';
import { good } from '../agent.fixture.js';
import { type ReadFile, readReport } from './report-text.js';
import { reportedInstant } from './reported-instant.js';

const NOW = new Date('2026-03-31T06:00:00Z');
const LEDGER = good('compta.bak', 'the ledger');

const written = (databases: unknown, changes: object = {}) => ({
  operation_timestamp_utc: '2026-03-30T20:10:00Z',
  agent_id: 'srv-1',
  company_name: 'Boulangerie Martin',
  city: 'Lyon',
  databases,
  ...changes,
});
const read = (report: unknown): ReadFile =>
  readReport(Buffer.from(typeof report === 'string' ? report : JSON.stringify(report)), 'srv-1', NOW);

function accepted(report: unknown) {
  const found = read(report);
  if ('refused' in found) throw new Error(found.refused);
  return found.report;
}
const refused = (report: unknown): string => {
  const found = read(report);
  return 'refused' in found ? found.refused : 'accepted';
};

describe('the content of a report', () => {
  it('D2: unknown fields are kept, with a warning', () => {
    const { databases, unknown, warnings } = accepted(
      written({ compta: { ...LEDGER, duration_seconds: 7 } }, { agent_version: '2.1' }),
    );
    expect(unknown).toEqual({ agent_version: '2.1' });
    expect(databases.get('compta')).toMatchObject({
      valid: LEDGER,
      fault: null,
      unknown: { duration_seconds: 7 },
    });
    expect(warnings).toEqual([
      '/agent_version: is unknown to this version and kept',
      '/databases/compta/duration_seconds: is unknown to this version and kept',
    ]);
  });

  it.each([
    ['a size in quotes', { ...LEDGER, size_bytes: '1000' }, '/size_bytes: must be a whole number'],
    ['a status in capitals', { ...LEDGER, status: 'SUCCESS' }, '/status: must be one of'],
    [
      'D5 no staged file',
      { ...LEDGER, staged_file_name: undefined },
      '/staged_file_name: is missing but required for a success',
    ],
    [
      'D5 a hash that is no SHA-256',
      { ...LEDGER, hash_sha256: 'd41d8cd98f00b204' },
      '/hash_sha256: must be the 64',
    ],
    ['no object', 'success', 'must be an object'],
    [
      'an instant in the future',
      { ...LEDGER, agent_transfer_process_timestamp_utc: '2026-04-02T00:00:00Z' },
      'is in the future',
    ],
  ])('D3: a fault in one database is its own: %s', (_, compta, fault) => {
    const { databases, warnings } = accepted(written({ compta, paie: LEDGER }));
    expect(databases.get('compta')?.fault).toContain(fault);
    expect(databases.get('paie')).toMatchObject({ valid: LEDGER, fault: null });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^\/databases\/compta[:/]/);
  });

  it('D3: the valid fields of a faulty database are kept', () => {
    const { databases } = accepted(written({ compta: { ...LEDGER, size_bytes: -1, error_msg: 'late' } }));
    const rest = { ...LEDGER, size_bytes: undefined };
    expect(databases.get('compta')?.valid).toEqual({ ...rest, error_msg: 'late' });
  });

  it('D3: an invalid name makes one faulty database', () => {
    const { databases } = accepted(
      written({ ['x'.repeat(101)]: LEDGER, 'a\nb': LEDGER, '': LEDGER, paie: LEDGER }),
    );
    expect([...databases].map(([name, { fault }]) => [name, fault !== null])).toEqual([
      [`${'x'.repeat(50)} (not a name)`, true],
      ['a b (not a name)', true],
      ['(not a name)', true],
      ['paie', false],
    ]);
  });

  it.each([
    ['2026-03-30T20:10:00Z', '2026-03-30T20:10:00.000Z'],
    ['2026-03-30T22:10:00+02:00', '2026-03-30T20:10:00.000Z'],
    ['2026-03-30T20:10:00', '2026-03-30T20:10:00.000Z'],
    ['2026-03-30 20:10:00', '2026-03-30T20:10:00.000Z'],
    ['2026-03-30T20:10:00.123456', '2026-03-30T20:10:00.123Z'],
    ['2026-03-30T20:10:00+0000', '2026-03-30T20:10:00.000Z'],
    ['2026-03-30 22:10:00+0200', '2026-03-30T20:10:00.000Z'],
    ['2026-03-30 20:10:00 UTC', '2026-03-30T20:10:00.000Z'],
    ['2026-03-30T20:10', '2026-03-30T20:10:00.000Z'],
  ])('D5: %s is an instant', (text, instant) => {
    expect(reportedInstant(text)).toBe(instant);
    expect(
      accepted(written({ compta: LEDGER }, { operation_timestamp_utc: text })).head.operation_timestamp_utc,
    ).toBe(instant);
  });

  it.each([
    '2026-03-30',
    '2026-02-30T20:10:00',
    '1999-12-31T23:59:59Z',
    '30/03/2026 20:10',
    '20:10',
    '2026-03-30T25:10',
  ])('D5: %s is not a database name', (text) => {
    expect(reportedInstant(text)).toBeNull();
  });

  it('F2, D8: names that look equal are equal, and one that appears twice is judged once', () => {
    const { databases } = accepted(
      written({ 'Tre\u0301sorerie': LEDGER, 'paie\u200b': LEDGER, 'grand\u00a0livre': LEDGER }),
    );
    expect([...databases.keys()]).toEqual(['Tr\u00e9sorerie', 'paie', 'grand livre']);
    const twice = accepted(written({ 'e\u0301': LEDGER, '\u00e9': LEDGER, paie: LEDGER })).databases;
    expect(twice.get('\u00e9')).toMatchObject({ valid: {}, fault: expect.stringContaining('twice') });
    expect(twice.get('paie')?.fault).toBeNull();
  });

  it('F3: a repeated name is refused, with the name', () => {
    const text = JSON.stringify(written({ compta: LEDGER }));
    expect(refused(text.replace('"compta":', '"compta":{"status":"failed"},"compta":'))).toBe(
      '/databases/compta: appears twice',
    );
    expect(refused(text.replace('"status":', '"status":"failed","status":'))).toBe(
      '/databases/compta/status: appears twice',
    );
  });

  it('S1: at most 20 faults are listed, with the number of others', () => {
    const databases = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`db${n}`, { status: 'odd' }]));
    const { warnings } = accepted(written(databases));
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toMatch(/^and \d+ more$/);
  });

  it.each([
    ['40,000 keys of the report', () => written({ compta: LEDGER }, keys(40_000))],
    ['40,000 keys of a database', () => written({ compta: { ...LEDGER, ...keys(40_000) } })],
    ['40,000 databases', () => written(keys(40_000))],
    [
      'a list of 300,000 objects',
      () => written({ compta: LEDGER }, { list: Array.from({ length: 300_000 }, () => ({})) }),
    ],
    [
      '1,000 databases, each with all its fields wrong',
      () => written(keys(1_000, { status: 1, hash_sha256: 2, size_bytes: '3', error_msg: [] })),
    ],
    ['1,000 good databases', () => written(keys(1_000, LEDGER))],
    ['900 unknown fields of each of 20 databases', () => written(keys(20, { ...LEDGER, ...keys(900) }))],
    ['one text of a megabyte', () => written({ compta: { ...LEDGER, logs_summary: 'x'.repeat(1_000_000) } })],
  ])('S1: %s cost at most 250 ms', (_, report) => {
    const bytes = Buffer.from(JSON.stringify(report()));
    // CPU time, because other processes may use the machine. The minimum of several: the first runs compile.
    const took = Array.from({ length: 4 }, () => {
      const before = cpuMs();
      readReport(bytes, 'srv-1', NOW);
      return cpuMs() - before;
    });
    expect(Math.min(...took)).toBeLessThan(250);
  });
});

function keys(count: number, value: unknown = 1): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, value]));
}
