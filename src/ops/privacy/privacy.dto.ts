import { ApiProperty } from '@nestjs/swagger';
import { TenantQuery } from '../admin.dto.js';
import { Line } from '../../platform/http/text.js';

export class AddressQuery extends TenantQuery {
  @ApiProperty({ maxLength: 254, description: 'An e-mail address, or a phone number with its country code' })
  @Line(254)
  address: string;
}
