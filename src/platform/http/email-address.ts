import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayUnique, IsArray, ValidateBy, type ValidationOptions } from 'class-validator';
import { parseEmailAddress } from '../addresses/email-address.js';
import { normalized } from '../text/normalized.js';

/** One e-mail address, stored as `parseEmailAddress` returns it: the domain in lower case and in punycode. */
export function EmailAddress(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => normalised(value)),
    isAddress(),
  );
}

/** Up to `max` such addresses, none twice. */
export function EmailAddresses(max: number): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(normalised) : value)),
    IsArray(),
    ArrayMaxSize(max),
    ArrayUnique((address: unknown) => (typeof address === 'string' ? address.toLowerCase() : address)),
    isAddress({ each: true }),
  );
}

function isAddress(options: ValidationOptions = {}): PropertyDecorator {
  return ValidateBy(
    {
      name: 'emailAddress',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && parseEmailAddress(value) !== null,
        defaultMessage: (where) =>
          `${options.each ? 'each value in ' : ''}${where?.property ?? ''} must be a single e-mail address, such as anne.martin@example.com`,
      },
    },
    options,
  );
}

/** The address as stored, if it is valid; otherwise the text without surrounding blanks. */
export function normalisedEmail(text: string): string {
  return parseEmailAddress(text) ?? normalized(text);
}

function normalised(value: unknown): unknown {
  return typeof value === 'string' ? normalisedEmail(value) : value;
}
