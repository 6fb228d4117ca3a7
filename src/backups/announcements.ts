import { Injectable } from '@nestjs/common';
@Injectable()
export class BackupAnnouncements {
  tellNew(_t: string, _s: AbortSignal): Promise<Record<string, number>> {
    return Promise.resolve({});
  }
  remindAll(_t: string, _s: AbortSignal): Promise<Record<string, number>> {
    return Promise.resolve({});
  }
}
