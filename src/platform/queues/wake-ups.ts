import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { WakeUp, WakeUps as Messages } from '../../contracts/wake-ups.js';
import { CONFIG, type Config } from '../config/config.js';
import { Metrics } from '../metrics/metrics.js';
import { consumerConnection, producerConnection } from './connections.js';
import { readWakeUp } from './wake-up-reading.js';

type Listener<Name extends WakeUp> = (message: Messages[Name]) => void;

/**
 * Announces commits to other processes, over Redis. Wake-ups are lost while Redis is unreachable: they only speed up
 * the start of the next round.
 */
@Injectable()
export class WakeUps implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('WakeUps');
  private readonly listeners = new Map<WakeUp, Listener<never>[]>();
  private readonly channel: string;
  private publisher: Redis;
  private subscriber: Redis;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly metrics: Metrics,
  ) {
    this.channel = `${config.redisPrefix}:wake-ups`;
  }

  onModuleInit(): void {
    const url = this.config.redisUrl ?? '';
    this.publisher = producerConnection(url);
    this.subscriber = consumerConnection(url);
    this.subscriber.on('message', (_channel: string, text: string) => this.receive(text));
    // Rejects only when the process stops before Redis has answered.
    this.subscriber.subscribe(this.channel).catch(() => undefined);
  }

  /** Returns at once. */
  send<Name extends WakeUp>(name: Name, message: Messages[Name]): void {
    this.publisher
      .publish(this.channel, JSON.stringify({ name, message }))
      .catch(() => this.metrics.count('vigie_wake_ups_failed_total', { name }));
  }

  /** Calls `listener` for each wake-up of this name, from any process (this one too). */
  on<Name extends WakeUp>(name: Name, listener: Listener<Name>): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  onApplicationShutdown(): void {
    this.publisher.disconnect();
    this.subscriber.disconnect();
  }

  /** Redis may be shared, and anyone on it may publish: ignore invalid wake-ups. */
  private receive(text: string): void {
    const heard = readWakeUp(text);
    if (heard === null) {
      this.logger.warn({ event: 'wake_up_not_read', length: text.length });
      return;
    }
    for (const listener of this.listeners.get(heard.name) ?? []) {
      try {
        listener(heard.message as never);
      } catch (error) {
        // No work depends on a single wake-up: the next round does it.
        this.logger.error({ event: 'wake_up_failed', name: heard.name, err: error });
      }
    }
  }
}
