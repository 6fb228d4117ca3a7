import type { Column } from './table.js';

/** Texts that a spreadsheet would run as a formula (https://owasp.org/www-community/attacks/CSV_Injection). */
const FORMULA = /^[=+\-@\t\r]/;
/** Without it Excel reads UTF-8 as the code page of the machine. */
const BOM = '\ufeff';

/** The rows as CSV (RFC 4180). French spreadsheets separate by semicolons. */
export function csvOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], locale: string): string {
  const separator = locale === 'fr' ? ';' : ',';
  const quote = (text: string) => `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  const lines = [
    columns.map(({ label }) => quote(label)),
    ...rows.map((row) => columns.map(({ text }) => quote(text(row)))),
  ];
  return `${BOM}${lines.map((line) => line.join(separator)).join('\r\n')}\r\n`;
}

/** Saves a file on this machine. @param name with its extension */
export function download(name: string, type: string, content: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // The browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
