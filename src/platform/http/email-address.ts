import { domainToASCII } from 'node:url';
import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsEmail,
  IsString,
  Matches,
  MaxLength,
  type ValidationOptions,
} from 'class-validator';

/**
 * One e-mail address of at most 254 characters (RFC 5321 §4.5.3.1.3), stored with its domain in lower case and
 * in punycode; the part before the @ stays as written, for only its server may say what it means. It is ASCII
 * and unquoted, as every mail server takes it.
 */
export function EmailAddress(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? normalisedEmail(value) : value,
    ),
    ...rules(),
  );
}

/** Up to `max` such addresses, none twice. */
export function EmailAddresses(max: number): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      Array.isArray(value)
        ? value.map((item: unknown) => (typeof item === 'string' ? normalisedEmail(item) : item))
        : value,
    ),
    IsArray(),
    ArrayMaxSize(max),
    ArrayUnique((address: unknown) => (typeof address === 'string' ? address.toLowerCase() : address)),
    ...rules({ each: true }),
  );
}

function rules(options: ValidationOptions = {}): PropertyDecorator[] {
  return [
    IsString(options),
    MaxLength(254, options),
    IsEmail({ allow_utf8_local_part: false }, options),
    Matches(/^[\x21\x23-\x7e]+$/, { message: '$property must not be quoted', ...options }),
  ];
}

/** The address as it is stored, if it is one; other text comes back without the blanks around it. */
export function normalisedEmail(text: string): string {
  const address = text.trim();
  const at = address.lastIndexOf('@');
  if (at < 1 || address.length > 1_000) return address;
  const written = address.slice(at + 1);
  // domainToASCII reads an IP address into all sorts of things, and is lenient with other signs.
  const domain = /^[\p{L}\p{M}\p{N}.-]+$/u.test(written) ? domainToASCII(written) : '';
  return domain === '' ? address : `${address.slice(0, at)}@${domain.toLowerCase()}`;
}
