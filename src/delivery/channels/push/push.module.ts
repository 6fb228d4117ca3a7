import { Module } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { readServiceAccount } from '../../../platform/config/service-account.js';
import { Wording } from '../../../wording/wording.js';
import { WordingModule } from '../../../wording/wording.module.js';
import { DeviceRekeying } from './device-rekeying.js';
import { DeviceRegistry } from './device-registry.js';
import { DevicesController } from './devices.controller.js';
import { Fcm } from './fcm.js';
import { GoogleLogin } from './google-login.js';
import { PushChannel } from './push.channel.js';
import { WebPush } from './web-push.js';

const FCM_API_URL = 'https://fcm.googleapis.com';

/** Pushes by FCM and Web Push; the channel is null without both. */
@Module({
  imports: [WordingModule],
  controllers: [DevicesController],
  providers: [
    DeviceRegistry,
    DeviceRekeying,
    {
      provide: PushChannel,
      inject: [CONFIG, DeviceRegistry, Wording, Clock],
      useFactory: (config: Config, devices: DeviceRegistry, wording: Wording, clock: Clock) => {
        const services = { fcm: fcmOf(config, clock), web_push: webPushOf(config, clock) };
        if (services.fcm === null && services.web_push === null) return null;
        return new PushChannel(services, devices, wording, clock);
      },
    },
  ],
  exports: [DeviceRekeying, PushChannel],
})
export class PushModule {}

/** Null if FCM_SERVICE_ACCOUNT_FILE is unset. */
export function fcmOf({ fcmServiceAccountFile, fcmApiUrl }: Config, clock: Clock): Fcm | null {
  if (fcmServiceAccountFile === null) return null;
  const account = readServiceAccount(fcmServiceAccountFile);
  return new Fcm(account.project_id, new GoogleLogin(account, clock), clock, fcmApiUrl ?? FCM_API_URL);
}

function webPushOf(config: Config, clock: Clock): WebPush | null {
  const { vapidPublicKey: public_key, vapidPrivateKey: private_key, vapidSubject: subject } = config;
  if (public_key === null || private_key === null || subject === null) return null;
  return new WebPush({ public_key, private_key, subject }, config.webPushServices, clock);
}
