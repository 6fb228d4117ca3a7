import { Body, Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { Access, Caller, CallerUserId, type TenantCaller } from '../../../platform/http/caller.js';
import { IdParam } from '../../../platform/http/id-param.js';
import { DeviceRegistry } from './device-registry.js';
import { Devices, DeviceView, NewDevice } from './devices.dto.js';

/** The devices of the signed-in user. */
@ApiTags('me')
@Controller('me/devices')
export class DevicesController {
  constructor(private readonly devices: DeviceRegistry) {}

  @Get()
  @Access('self')
  @ApiOperation({ summary: 'Your devices for pushes' })
  @ApiOkResponse({ type: Devices })
  list(@Caller() { tenant_id }: TenantCaller, @CallerUserId() user_id: string): Promise<Devices> {
    return this.devices.list({ tenant_id, user_id });
  }

  @Post()
  @Access('self')
  @ApiOperation({
    summary: 'Register a device for pushes',
    description:
      'Register it at each start of the app. A device that is already registered stays one, and belongs to the last ' +
      'user who registered it. A browser asks its user only after a click: subscribe there.',
  })
  @ApiCreatedResponse({ type: DeviceView })
  register(
    @Caller() { tenant_id }: TenantCaller,
    @CallerUserId() user_id: string,
    @Body() device: NewDevice,
  ): Promise<DeviceView> {
    return this.devices.register({ tenant_id, user_id }, device);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('self')
  @ApiOperation({ summary: 'Send no more pushes to a device' })
  @ApiNoContentResponse()
  remove(
    @Caller() { tenant_id }: TenantCaller,
    @CallerUserId() user_id: string,
    @IdParam() id: string,
  ): Promise<void> {
    return this.devices.remove({ tenant_id, user_id }, id);
  }
}
