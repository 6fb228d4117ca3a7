import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsString, Matches, MaxLength, MinLength } from 'class-validator';
import { comparable, normalized } from '../text/normalized.js';

/** No NUL (PostgreSQL can't store it), no other control character except tab and line feed, no lone surrogate. */
const PRINTABLE = /^(?:[\t\n\x20-\x7e\u0080-\ud7ff\ue000-\uffff]|[\ud800-\udbff][\udc00-\udfff])*$/;
const ONE_LINE = /^(?:[\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]|[\ud800-\udbff][\udc00-\udfff])*$/;

/** A line of text of 1 to `max` characters, stored as `normalized`. */
export function Line(max: number): PropertyDecorator {
  return line(max, normalized);
}

/** A line used as an identity, such as an id or key of another program: stored as `comparable`. */
export function Identifier(max: number): PropertyDecorator {
  return line(max, comparable);
}

function line(max: number, form: (text: string) => string): PropertyDecorator {
  return applyDecorators(
    Stored(form),
    IsString(),
    MinLength(1),
    MaxLength(max),
    Matches(ONE_LINE, { message: '$property must be one line of text without control characters' }),
  );
}

/** Text of 1 to `max` characters, with line feeds, stored as `normalized`. */
export function Text(max: number): PropertyDecorator {
  return applyDecorators(
    Stored(normalized),
    IsString(),
    MinLength(1),
    MaxLength(max),
    Matches(PRINTABLE, { message: '$property must be text without control characters' }),
  );
}

/** Converts other programs' output to well-formed Unicode with `\n` line ends and no control characters except tab. */
export function printable(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .replace(/\p{Cs}/gu, '\ufffd');
}

function Stored(form: (text: string) => string): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? form(value) : value));
}
