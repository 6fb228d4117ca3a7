import { Body, Controller, Get, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { traceOf } from '../platform/audit/act.js';
import { Access } from '../platform/http/caller.js';
import { FirstOperator } from './auth.dto.js';
import { FirstRun } from './first-run.js';

export class FirstRunState {
  @ApiProperty({ description: 'true: there is no operator yet' })
  open: boolean;
}

export class FirstOperatorView {
  @ApiProperty({ format: 'uuid' })
  id: string;
}

/** The first operator of a new installation. */
@ApiTags('auth')
@Controller('auth/first-run')
@Access('public')
export class FirstRunController {
  constructor(private readonly firstRun: FirstRun) {}

  @Get()
  @ApiOperation({ summary: 'Whether this installation still needs its first operator' })
  @ApiOkResponse({ type: FirstRunState })
  async state(): Promise<FirstRunState> {
    return { open: (await this.firstRun.token()) !== null };
  }

  @Post()
  @HttpCode(201)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Create the first operator',
    description: 'With the token that the server prints when it starts without one. Works once.',
  })
  @ApiCreatedResponse({ type: FirstOperatorView })
  create(@Body() form: FirstOperator, @Req() request: FastifyRequest): Promise<FirstOperatorView> {
    return this.firstRun.create(form, traceOf(request));
  }
}
