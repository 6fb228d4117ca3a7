import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { Nested } from '../../../platform/http/nested.js';
import { Identifier, Line } from '../../../platform/http/text.js';
import { DEVICE_PLATFORMS, type DevicePlatform } from './device-token.js';

const MAX_TOKEN = 4_096;
const MAX_ENDPOINT = 2_000;
const MAX_KEY = 200;

class SubscriptionKeys {
  @ApiProperty({ description: 'base64url, as the browser gives it' })
  @IsString()
  @MaxLength(MAX_KEY)
  p256dh: string;

  @ApiProperty({ description: 'base64url, as the browser gives it' })
  @IsString()
  @MaxLength(MAX_KEY)
  auth: string;
}

class WebPushSubscription {
  @ApiProperty({
    maxLength: MAX_ENDPOINT,
    example: 'https://updates.push.services.mozilla.com/wpush/v2/gAAAAAB…',
  })
  @IsString()
  @MaxLength(MAX_ENDPOINT)
  endpoint: string;

  @ApiProperty({ type: SubscriptionKeys })
  @Nested(() => SubscriptionKeys)
  keys: SubscriptionKeys;
}

/** A device to which pushes may be sent. */
export class NewDevice {
  @ApiProperty({ enum: DEVICE_PLATFORMS })
  @IsIn(DEVICE_PLATFORMS)
  platform: DevicePlatform;

  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_TOKEN,
    description: 'For `fcm`: the registration token',
  })
  @IsOptional()
  @Identifier(MAX_TOKEN)
  token?: string | null;

  @ApiPropertyOptional({
    type: WebPushSubscription,
    description: "For `web_push`: the browser's subscription",
  })
  @IsOptional()
  @Nested(() => WebPushSubscription)
  subscription?: WebPushSubscription | null;

  @ApiPropertyOptional({ type: String, maxLength: 100, example: 'Firefox on Windows' })
  @IsOptional()
  @Line(100)
  name?: string | null;
}

export class DeviceView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: DEVICE_PLATFORMS })
  platform: DevicePlatform;

  @ApiProperty({ type: String, nullable: true })
  name: string | null;

  @ApiProperty({
    example: '6d3c…',
    description:
      'Hexadecimal SHA-256 of `fcm <token>` or `web_push <endpoint>`: an app or browser finds itself in the list',
  })
  fingerprint: string;

  @ApiProperty()
  created_at: Date;

  @ApiProperty({ description: 'When its app last registered it' })
  seen_at: Date;
}

export class Devices {
  @ApiProperty({ type: [DeviceView], description: 'Last seen first' })
  data: DeviceView[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: '`applicationServerKey` for browsers; null: this installation sends no Web Push',
  })
  web_push_public_key: string | null;
}
