import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { readConfig } from '../config/config.js';
import { parseEmailAddress } from '../addresses/email-address.js';
import { EmailAddress } from './email-address.js';

class Form {
  @EmailAddress()
  email: string;
}

/** The address the API stores, or null when it refuses. */
function stored(email: unknown): string | null {
  const form = plainToInstance(Form, { email });
  return validateSync(form).length === 0 ? form.email : null;
}

function configured(address: string): boolean {
  try {
    return readConfig({ SMTP_FROM_EMAIL: address }).smtpFromEmail === address;
  } catch {
    return false;
  }
}

describe('e-mail addresses', () => {
  it.each([
    ['a@xn--zz.example', null],
    ['a@example。com', 'a@example.com'],
    ['a@example.c', null],
    ['anne@Société.example', 'anne@xn--socit-esab.example'],
    ['"anne"@example.com', null],
    ['anne@cab\u200binet.example', null],
    ['anne@127.0.0.1', null],
  ])('M10: %j gets the same answer from channels, API and configuration', (written, address) => {
    expect(parseEmailAddress(written)).toBe(address);
    expect(stored(written)).toBe(address);
    expect(configured(written)).toBe(address !== null);
  });

  it('refuses values that are not text', () => {
    expect([stored(7), stored(null), stored(['a@example.com'])]).toEqual([null, null, null]);
  });
});
