import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Access } from '../../platform/http/caller.js';
import {
  Activity,
  ActivityQuery,
  Timeline,
  TimelineQuery,
  TimelineSlots,
  TimelineSlotsQuery,
} from './activity.dto.js';
import { ActivityReader } from './activity.service.js';
import { TimelineReader } from './timeline.service.js';

/** What the installation did and will do, over all tenants, for operators. */
@Controller('admin')
@Access('operator')
export class ActivityController {
  constructor(
    private readonly activity: ActivityReader,
    private readonly timelines: TimelineReader,
  ) {}

  @Get('activity')
  @ApiOperation({
    summary: 'Failure rates, and deliveries by channel and outcome over time',
    description: 'Of all tenants. The last interval is the running one.',
  })
  @ApiOkResponse({ type: Activity })
  read(@Query() { hours }: ActivityQuery): Promise<Activity> {
    return this.activity.read(hours);
  }

  @Get('timeline')
  @ApiOperation({
    summary: 'What ran, was caught up, was missed and is planned, by tenant, job and hour',
    description:
      'Computed from the ledger and from the hours that are set now: a slot that an earlier setting had, and that did ' +
      'not run, is not shown. Manual runs count as runs.',
  })
  @ApiOkResponse({ type: Timeline })
  timeline(@Query() query: TimelineQuery): Promise<Timeline> {
    return this.timelines.read(query);
  }

  @Get('timeline/slots')
  @ApiOperation({
    summary: 'The runs and slots that the timeline counts for one job of a tenant',
    description: 'Newest first. `mark` filters by mark.',
  })
  @ApiOkResponse({ type: TimelineSlots })
  async slots(@Query() query: TimelineSlotsQuery): Promise<TimelineSlots> {
    return { data: await this.timelines.slots(query) };
  }
}
