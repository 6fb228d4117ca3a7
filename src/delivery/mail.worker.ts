import { Injectable, type OnModuleInit } from '@nestjs/common';
import { JobHandlers } from '../platform/queues/handlers.js';
import { MailSending } from './mail-sending.js';

/** The job `send-mail`. It ends only once its outcome is committed. */
@Injectable()
export class MailWorker implements OnModuleInit {
  constructor(
    private readonly jobs: JobHandlers,
    private readonly sending: MailSending,
  ) {}

  onModuleInit(): void {
    this.jobs.register('send-mail', (job) => this.sending.deliver(job));
  }
}
