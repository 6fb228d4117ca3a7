import { cpuMs } from '../../test/support/cpu-time.js';
import { dueItemFiles } from '../due-items/due-item-files.js';
import { DEADLINE_KIND } from '../deadlines/deadlines.kind.js';
import { TASK_KIND } from '../tasks/tasks.kind.js';
import { CsvReader } from './csv-reader.js';
import type { FileLine } from './file-line.js';
import { readAll } from './import.fixture.js';
import type { ImportKind } from './import-kind.js';

const DEADLINE_FILES = dueItemFiles(DEADLINE_KIND);
const TASK_FILES = dueItemFiles(TASK_KIND);

/** Without the raw cells, which only faults show. */
function read(text: string, kind: ImportKind = TASK_FILES, size = 7): FileLine[] {
  return readAll(new CsvReader(kind), text, size).map((read) =>
    'values' in read ? { line: read.line, values: read.values } : read,
  );
}

/** With column names that no firm uses. */
const ODD_TITLES: ImportKind = {
  ...TASK_FILES,
  columns: new Map([...TASK_FILES.columns, ['titre_de_la_tache', 'title'], ['titre_ou_libelle', 'title']]),
};

const HEADER = 'title;due_on;client_name\n';

describe('a CSV file', () => {
  it.each([
    [';', 'Titre;Échéance;Client\nTVA;24/04/2026;Martin\n'],
    [',', 'title,due_on,client_name\nTVA,2026-04-24,Martin\n'],
    ['tabs', 'TITRE\tDate d’échéance\tNom du client\nTVA\t24.04.2026\tMartin\n'],
    ['; as declared for Excel', 'sep=;\nTitre;Échéance;Client\nTVA;24/4/2026;Martin\n'],
    ['; with commas in its cells', 'Titre;"Échéance";Client\nTVA;24-04-2026 00:00;Martin\n'],
    ['; and ended by CR LF', 'Titre;Échéance;Client\r\nTVA;24/04/2026;Martin\r\n'],
    ['; and ended by CR', 'Titre;Échéance;Client\rTVA;24/04/2026;Martin\r'],
    ['; without a line end', 'Titre;Échéance;Client\nTVA;24/04/2026;Martin'],
    ['; with blank columns and lines', '\n;;;\nTitre;Échéance;Client;;\n\nTVA;24/04/2026;Martin;;\n;;;;\n\n'],
  ])('is read when separated by %s', (_separator, text) => {
    for (const size of [1, 7, 1_000]) {
      expect(read(text, TASK_FILES, size)).toEqual([
        {
          line: expect.any(Number) as number,
          values: { title: 'TVA', due_on: '2026-04-24', client_name: 'Martin' },
        },
      ]);
    }
  });

  it('recognises French column names, in any case and without accents', () => {
    const header = 'LIBELLE;date limite;Dossier;Remarques;Responsable;Référence;Catégorie';
    const [line] = read(`${header}\na;b;c;d;e;f;g\n`, DEADLINE_FILES);
    expect(line).toMatchObject({
      values: {
        title: 'a',
        due_on: 'b',
        client_name: 'c',
        description: 'd',
        responsible_email: 'e',
        external_id: 'f',
        category: 'g',
      },
    });
  });

  it('accepts line breaks, separators and quotes in quoted cells, and counts lines as an editor does', () => {
    const text = `${HEADER}"a ""b"";\nc";2026-01-01;\r\n\nd;2026-01-02;"e\r\nf\ng"\nh;2026-01-03;\n`;
    for (const size of [1, 7, 1_000]) {
      expect(read(text, TASK_FILES, size)).toEqual([
        { line: 2, values: { title: 'a "b";\nc', due_on: '2026-01-01', client_name: null } },
        { line: 5, values: { title: 'd', due_on: '2026-01-02', client_name: 'e\nf\ng' } },
        { line: 8, values: { title: 'h', due_on: '2026-01-03', client_name: null } },
      ]);
    }
  });

  it.each([
    ['F4: a line break in its first cell, and ,', '"Titre\nde la tâche","Échéance",Client\n', ','],
    ['F4: a line break in its first cell, and tabs', '"Titre\r\n(tâche)"\t"Échéance"\tClient\r\n', '\t'],
    ['F4: other separators in its cells', '"Titre, ou; libellé",Échéance\n', ','],
    ['D8: brackets after its names', 'Titre;Échéance (JJ/MM/AAAA);Client [nom]\n', ';'],
    ['D8: a title above it', 'Échéances de mars, avril et mai;;\n;;\nTitre;Échéance;Client\n', ';'],
    ['D8: a title above it with another separator', '"Cabinet\nHorizon"\n\nTitre\tÉchéance\n', '\t'],
    ['F9: blanks before its quotes', '\u00a0"Titre";\u00a0"Échéance" ; "Client"\n', ';'],
    ['F9: invisible characters before its quotes', '\u200b"Titre","Échéance"\n', ','],
  ])('is read with a header that has %s', (_what, header, separator) => {
    for (const size of [1, 7, 1_000]) {
      const lines = read(`${header}a${separator}b\n`, ODD_TITLES, size);
      expect(lines).toMatchObject([
        { values: { title: expect.any(String) as string, due_on: expect.any(String) as string } },
      ]);
    }
  });

  it('D8: an ambiguous name means the first of its fields that no other column has', () => {
    const fields = (header: string) => {
      const [line] = read(`${header}\n1;2;3\n`);
      return line !== undefined && 'values' in line ? line.values : line;
    };
    expect(fields('Nom;Échéance;N°')).toEqual({ title: '1', due_on: '2', external_id: '3' });
    expect(fields('Nom;Échéance;Titre')).toEqual({ client_name: '1', due_on: '2', title: '3' });
    expect(() => read('Nom;Titre;Client;Date\n')).toThrow(/unknown columns: "Nom"/);
  });

  it.each([
    [
      'a quote inside a cell',
      'Titre 5" ;Échéance\n',
      /header has a quote inside a cell \(line 1\): "Titre 5""/,
    ],
    ['an unknown column', 'Titre;Échéance;Couleur\n', /unknown columns: "Couleur"/],
    ['a title only', 'Échéances 2026\n', /unknown columns: "Échéances 2026"/],
    ['a text', 'Bonjour,\nvoici la liste\n'.repeat(20), /unknown columns: "Bonjour"/],
    ['an open quote', 'Titre;"Échéance\n', /quote is not closed/],
    [
      'a cell that continues after its quote',
      '"Titre"x;Échéance\n',
      /text follows the closing quote of a cell \(line 1\)/,
    ],
  ])(
    'F9: is refused when its header has %s, and no other line becomes the header',
    (_what, header, detail) => {
      const lines = 'a;01/04/2026\n';
      for (const size of [1, 7, 1_000]) expect(() => read(header + lines, TASK_FILES, size)).toThrow(detail);
    },
  );

  it('F9: a final Ctrl-Z is not a line', () => {
    for (const end of ['\x1a', '\x1a\x1a', '\r\n\x1a']) {
      for (const size of [1, 1_000]) {
        expect(read(`${HEADER}a;2026-01-01;x${end}`, TASK_FILES, size)).toEqual([
          { line: 2, values: { title: 'a', due_on: '2026-01-01', client_name: 'x' } },
        ]);
      }
    }
  });

  it('F6: treats missing last cells as blank', () => {
    expect(read(`${HEADER}a;2026-01-01\nb\n`)).toEqual([
      { line: 2, values: { title: 'a', due_on: '2026-01-01', client_name: null } },
      { line: 3, values: { title: 'b', due_on: null, client_name: null } },
    ]);
  });

  it('treats a blank cell as null, and a formula as text', () => {
    expect(read(`${HEADER}=1+1;2026-01-01; \u00a0\n`)).toEqual([
      { line: 2, values: { title: '=1+1', due_on: '2026-01-01', client_name: null } },
    ]);
  });

  it.each([
    ['too many cells', 'a;2026-01-01;;;x', 'has 5 cells, the header has 3'],
    ['a quote inside a cell', '12" screen;2026-01-01;x', 'quote inside a cell'],
  ])('reports a line with %s, and continues', (_what, line, detail) => {
    const lines = read(`${HEADER}a;2026-01-01;\n${line}\nb;2026-01-02;\n`);
    expect(lines).toHaveLength(3);
    expect(lines.filter((read) => 'fault' in read)).toEqual([
      { line: 3, fault: { field: null, detail: expect.stringContaining(detail) as string } },
    ]);
  });

  it('reports a cell below a column without a name', () => {
    expect(read('title;;due_on\na;lost;2026-01-01\n')).toMatchObject([
      { line: 2, fault: { detail: expect.stringContaining('column without a header') as string } },
    ]);
  });

  it.each([
    ['nothing', '', /empty/],
    ['blank lines only', '\n\r\n ;;\n', /empty/],
    ['no column for what is required', 'client\nMartin\n', /lacks title and due_on.*"client"/],
    ['an unknown column', 'title;due_on;colour\n', /unknown columns: "colour".*Known columns: title, due_on/],
    ['the column of another kind', 'title;due_on;category\n', /unknown columns: "category"/],
    ['two columns for the same', 'title;date;échéance\n', /duplicate columns: "due_on"/],
    ['a prototype for a column', 'title;due_on;__proto__;constructor\n', /"__proto__", "constructor"/],
    ['no line ends', 'x'.repeat(1_000_000), /too long for a header/],
    ['ten thousand columns', `${'title;'.repeat(10_000)}\n`, /10001 columns/],
    ['an unclosed quote', `${HEADER}a;2026-01-01;"x\nb;2026-01-02;y\n`, /not closed.*complete/],
    [
      'a quote that swallows lines',
      `${HEADER}a;2026-01-01;"x\nb;2026-01-02;"y"\n`,
      /line 3.*double the quotes/,
    ],
    [
      'a line of more than 256 KB',
      `${HEADER}${'x'.repeat(300_000)};2026-01-01;\n`,
      /longer than 256 KB \(line 2\)/,
    ],
    ['JSON', '{"title":"a"}\n', /looks like JSON/],
  ])('is refused with %s', (_what, text, detail) => {
    const began = cpuMs();
    expect(() => read(text, TASK_FILES, 65_536)).toThrow(detail);
    expect(cpuMs() - began).toBeLessThan(2_000);
  });
});
