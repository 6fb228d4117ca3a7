import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty } from '@nestjs/swagger';
import { CONFIG, type Config, type Source } from '../../platform/config/config.js';
import { type ShownSetting, shownSettings } from '../../platform/config/shown.js';
import { Access } from '../../platform/http/caller.js';
import { ChannelStateView } from '../channel-state.dto.js';
import { Connections, type ConnectionTest, SERVICES } from './connections.service.js';

class ConnectionView implements ConnectionTest {
  @ApiProperty({ enum: SERVICES })
  service: string;

  @ApiProperty({ description: 'false: not configured, so not tested' })
  configured: boolean;

  @ApiProperty({ type: Boolean, nullable: true })
  ok: boolean | null;

  @ApiProperty({ type: Number, nullable: true })
  latency_ms: number | null;

  @ApiProperty({ type: String, nullable: true })
  error: string | null;

  @ApiProperty({
    type: ChannelStateView,
    nullable: true,
    description: 'Recent outcomes of this channel; null without a channel',
  })
  channel: ChannelStateView | null;
}

class ConnectionList {
  @ApiProperty({ description: 'Whether every configured service answered' })
  ok: boolean;

  @ApiProperty({
    description: 'Whether `admin/caught-mails` shows mails of a mail catcher; only in development',
  })
  catches_mails: boolean;

  @ApiProperty({ type: [ConnectionView] })
  data: ConnectionView[];
}

class SettingView implements ShownSetting {
  @ApiProperty({ example: 'SMTP_HOST' })
  variable: string;

  @ApiProperty({ example: 'email.smtp.host', description: 'Its path in vigie.yml' })
  setting: string;

  @ApiProperty({
    description: 'The value in force; null: unset. Secrets and passwords in URLs are `***`',
    nullable: true,
    oneOf: [
      { type: 'string' },
      { type: 'number' },
      { type: 'boolean' },
      { type: 'array', items: { type: 'string' } },
    ],
  })
  value: ShownSetting['value'];

  @ApiProperty({ enum: ['environment', 'file', 'default', 'embedded'] })
  source: Source['kind'];

  @ApiProperty({ type: String, nullable: true, example: 'EMAIL_HOST' })
  written_as: string | null;

  @ApiProperty({ type: String, nullable: true })
  default: string | null;
}

class SettingList {
  @ApiProperty({ type: [SettingView] })
  data: SettingView[];
}

/** The connections and configuration of this process, for operators. */
@Controller('admin')
@Access('operator')
export class AdminInstallationController {
  constructor(
    private readonly connections: Connections,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('connections')
  @ApiOperation({
    summary:
      'Test the connections to PostgreSQL (both roles), Redis and the server of each channel, and whether a scheduler polls',
    description:
      'Connects, encrypts and logs in as configured; sends no mail. The tests run in parallel. PostgreSQL and Redis have 5 s, a mail server SMTP_GREETING_TIMEOUT_SECONDS plus 25 s.',
  })
  @ApiOkResponse({ type: ConnectionList })
  async test(): Promise<ConnectionList> {
    const data = await this.connections.test();
    const isOk = data.every(({ ok }) => ok !== false);
    return { ok: isOk, catches_mails: this.config.caughtMailsDir !== null, data };
  }

  @Get('configuration')
  @ApiOperation({ summary: 'The settings in force and the source of each, with secrets masked' })
  @ApiOkResponse({ type: SettingList })
  configuration(): SettingList {
    return { data: shownSettings(this.config) };
  }
}
