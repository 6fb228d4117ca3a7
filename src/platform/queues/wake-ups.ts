import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { WakeUp, WakeUps as Messages } from '../../contracts/wake-ups.js';
import { CONFIG, type Config } from '../config/config.js';
import { refuseInRehearsal } from '../database/rehearsal.js';
import { Metrics } from '../metrics/metrics.js';
import { consumerConnection, producerConnection, type RedisConnection } from '../redis/connections.js';
import { readWakeUp } from './wake-up-reading.js';

/** While they are frequent, wake-ups leave together at this interval, in ms: a write costs as much as a small query. */
const INTERVAL_MS = 10;
/** How often the subscription is repeated, in ms. */
const RESUBSCRIBE_INTERVAL_MS = 10_000;

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
  private publisher: RedisConnection;
  private subscriber: RedisConnection;
  private resubscribing: NodeJS.Timeout | undefined;
  /** Sent together, each once. */
  private readonly waiting = new Map<string, WakeUp>();
  /** When the last ones left, in ms of `performance.now()`. */
  private lastSent = -Infinity;

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
    this.subscriber.on('ready', () => this.subscribe());
    // A cluster's client moves its subscription between nodes, and does not always say when it has failed.
    this.resubscribing = setInterval(() => this.subscribe(), RESUBSCRIBE_INTERVAL_MS).unref();
  }

  private subscribe(): void {
    if (this.subscriber.status !== 'ready') return;
    // Rejects when the connection closes before Redis has answered: the next connection subscribes again.
    this.subscriber.subscribe(this.channel).catch(() => undefined);
  }

  /** Returns at once. A lone wake-up leaves at the end of this turn of the event loop. */
  send<Name extends WakeUp>(name: Name, message: Messages[Name]): void {
    refuseInRehearsal('a wake-up');
    if (this.waiting.size === 0) {
      const wait = this.lastSent + INTERVAL_MS - performance.now();
      if (wait <= 0) setImmediate(() => this.publish());
      else setTimeout(() => this.publish(), wait);
    }
    this.waiting.set(JSON.stringify({ name, message }), name);
  }

  private publish(): void {
    this.lastSent = performance.now();
    const texts = [...this.waiting];
    this.waiting.clear();
    const pipeline = this.publisher.pipeline();
    for (const [text] of texts) pipeline.publish(this.channel, text);
    const count = (name: WakeUp) => this.metrics.count('vigie_wake_ups_failed_total', { name });
    pipeline.exec().then(
      (results) =>
        texts.forEach(([, name], at) => {
          if (results?.[at]?.[0] !== null) count(name);
        }),
      () => texts.forEach(([, name]) => count(name)),
    );
  }

  /** Calls `listener` for each wake-up of this name, from any process (this one too). */
  on<Name extends WakeUp>(name: Name, listener: Listener<Name>): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  onApplicationShutdown(): void {
    clearInterval(this.resubscribing);
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
