import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import { type Locale, LOCALES } from '../../contracts/locales.js';
import { JsonObject } from '../../platform/http/json-object.js';
import { MAX_SOURCE } from './adapted-part.js';
import type { Field } from './kind-fields.js';

const FIELD_TYPES: readonly Field['type'][] = [
  'text',
  'date',
  'instant',
  'time',
  'number',
  'true_or_false',
  'list',
  'object',
];
/** Characters of JSON. */
export const MAX_DATA = 20_000;

/** A template as written: nothing is trimmed, line ends become line feeds. */
function Source(description: string, example: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: String, nullable: true, maxLength: MAX_SOURCE, description, example }),
    IsOptional(),
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? value.replace(/\r\n?/g, '\n') : value,
    ),
    IsString(),
    MinLength(1),
    MaxLength(MAX_SOURCE),
  );
}

/** The parts to change: null returns one to the built-in words, an omitted one stays as it is. */
export class TemplateChange {
  @Source(
    'One line: the title in feeds and of pushes, and the subject of mails',
    '{{data.client_name}}: {{data.title}} is due on {{date data.due_on "short"}}',
  )
  title?: string | null;

  @Source('Plain text for feeds, pushes and SMS', 'Please send us what is missing for {{data.title}}.')
  body?: string | null;

  @Source('The content of the mail in plain text', '{{title}}\n\n{{> due_item}}')
  text?: string | null;

  @Source('The content of the mail in HTML', '<h1 class="title">{{title}}</h1>\n<p>{{> strings.hello}}</p>')
  html?: string | null;
}

/** A draft: an omitted part is the stored one. */
export class TemplateDraft extends TemplateChange {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'The data of a notification instead of the sample',
    example: { title: 'TVA CA3', client_name: 'Boulangerie Martin', due_on: '2026-11-24' },
  })
  @IsOptional()
  @JsonObject(MAX_DATA)
  data?: Record<string, unknown> | null;
}

export class BrokenTemplate {
  @ApiProperty({ type: String, format: 'date-time' })
  since: Date;

  @ApiProperty({ example: 'line 3, column 5: there is no helper "shout"' })
  reason: string;
}

/** One part of a kind's words. */
export class TemplatePartView {
  @ApiProperty({ description: 'Whether the tenant has its own words' })
  adapted: boolean;

  @ApiProperty({ type: String, nullable: true, description: "The tenant's own template" })
  source: string | null;

  @ApiProperty({ description: 'The built-in template, to start from' })
  built_in: string;

  @ApiProperty({ type: String, nullable: true, description: '`user:<id>` or `key:<id>`' })
  written_by: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  updated_at: Date | null;

  @ApiProperty({
    type: BrokenTemplate,
    nullable: true,
    description: 'Since when it fails, and why: the built-in words are used instead',
  })
  broken: BrokenTemplate | null;
}

export class TemplateParts {
  @ApiProperty()
  title: TemplatePartView;

  @ApiProperty()
  body: TemplatePartView;

  @ApiProperty()
  text: TemplatePartView;

  @ApiProperty()
  html: TemplatePartView;
}

/** A value that a template may print. */
export class TemplateField implements Field {
  @ApiProperty({ example: 'data.due_on', description: '`[]` is a list, for `each`' })
  name: string;

  @ApiProperty({ enum: FIELD_TYPES })
  type: Field['type'];

  @ApiProperty({
    oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }],
    nullable: true,
    example: '2026-11-24',
  })
  example: string | number | boolean | null;
}

/** The words of a kind, or of a message template, in a locale. */
export class TenantTemplateView {
  @ApiProperty({
    description: 'A kind, or `message.<name>`: a template for `POST notifications`',
    example: 'deadline_near',
  })
  kind: string;

  @ApiProperty({ enum: LOCALES })
  locale: Locale;

  @ApiProperty()
  parts: TemplateParts;

  @ApiProperty({ type: [TemplateField], description: 'What its templates may print' })
  fields: TemplateField[];
}

export class FeedPreview {
  @ApiProperty()
  title: string;

  @ApiProperty()
  body: string;
}

export class MailPreview {
  @ApiProperty()
  subject: string;

  @ApiProperty()
  text: string;

  @ApiProperty({ description: 'The complete mail; show it in a frame without scripts' })
  html: string;
}

export class SmsPreview {
  @ApiProperty()
  text: string;

  @ApiProperty({ type: 'integer', description: 'Messages that the operator charges for it' })
  segments: number;
}

/** How each channel shows a notification. */
export class TemplatePreview {
  @ApiProperty()
  feed: FeedPreview;

  @ApiProperty()
  email: MailPreview;

  @ApiProperty()
  sms: SmsPreview;

  @ApiProperty()
  push: FeedPreview;
}

/** The data of a tenant's last notification of a kind. */
export class LastFact {
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null: there is none yet' })
  at: Date | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Its `data`, to preview a draft',
  })
  data: Record<string, unknown> | null;
}
