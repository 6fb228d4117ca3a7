/** RFC 2046 §5.1.1: 1 to 70 characters, quoted or not. */
const BOUNDARY = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s";]{1,70}))/i;
const NAME = /;\s*name="([^"\r\n]*)"/i;
const FILE = /;\s*filename\*?=/i;

/**
 * The text fields of a small form (RFC 7578), in order; files are dropped. Node's own parser (`Response.formData`) is
 * deprecated for servers, and libraries are made for large uploads, which Vigie takes as plain bodies.
 * @returns null if the form is not well-formed
 */
export function readMultipart(text: string, contentType: string): [name: string, value: string][] | null {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return null;
  // The first delimiter needs no line break before it; what comes before is a preamble.
  const [, ...parts] = `\r\n${text}`.split(`\r\n--${boundary}`);
  const end = parts.findIndex((part) => part.startsWith('--'));
  if (end === -1) return null;
  const fields: [string, string][] = [];
  for (const part of parts.slice(0, end)) {
    const [, head, value] = /^[ \t]*\r\n([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(part) ?? [];
    const disposition = head?.split('\r\n').find((line) => /^content-disposition:\s*form-data/i.test(line));
    const [, name] = NAME.exec(disposition ?? '') ?? [];
    if (disposition === undefined || name === undefined || value === undefined) return null;
    if (!FILE.test(disposition)) fields.push([name, value]);
  }
  return fields;
}
