import { html, type TemplateResult } from 'lit';
import type { OperatorWords } from '../../words/console/operator.js';
import type { ConsoleContext } from '../context.js';
import type { Acting } from '../settings/acting.js';
import { countsOf, type Queue } from './queue-counts.js';

export interface QueueActsView {
  context: ConsoleContext;
  words: OperatorWords;
  acting: Acting;
  queue: Queue;
  /** Loads what the act has changed. */
  refresh: () => Promise<unknown>;
}

/** Pause or resume, retry what failed, cancel what waits. Each is confirmed with its number, and acts once. */
export function queueActs(view: QueueActsView): TemplateResult {
  const { words, queue, acting } = view;
  const name = words.queues[queue.queue];
  const act = (label: string, run: () => Promise<string | null>, style = '') =>
    html`<button
      type="button"
      class="outlined ${style}"
      aria-label="${label}, ${name}"
      aria-disabled=${acting.now ? 'true' : 'false'}
      @click=${() => void perform(view, run)}
    >
      ${label}
    </button>`;
  const { waiting, failed } = countsOf(queue);
  return html`<span class="acts">
    ${queue.paused ? act(words.resume, () => resume(view)) : act(words.pause, () => pause(view))}
    ${failed > 0 ? act(words.retry_failed, () => retry(view)) : ''}
    ${waiting > 0 ? act(words.purge, () => purge(view), 'danger') : ''}
  </span>`;
}

async function perform(
  { context, acting, refresh }: QueueActsView,
  run: () => Promise<string | null>,
): Promise<void> {
  await acting.run(context, async () => {
    const done = await run();
    if (done === null) return;
    context.toast({ text: done, tone: 'good' });
    await refresh();
  });
}

async function pause({ context, words, queue }: QueueActsView): Promise<string | null> {
  const name = words.queues[queue.queue];
  const isConfirmed = await context.confirm({
    title: words.pause_title(name),
    text: words.pause_text(context.format.number(countsOf(queue).waiting)),
    confirm: words.pause,
  });
  if (!isConfirmed) return null;
  const path = { params: { path: { queue: queue.queue } } };
  const { returned } = await context.api.post('/api/v1/admin/queues/{queue}/pause', path);
  return words.paused_done(name, context.format.number(returned));
}

async function resume({ context, words, queue }: QueueActsView): Promise<string> {
  const path = { params: { path: { queue: queue.queue } } };
  await context.api.post('/api/v1/admin/queues/{queue}/resume', path);
  return words.resumed_done(words.queues[queue.queue]);
}

async function retry({ context, words, queue }: QueueActsView): Promise<string | null> {
  const isConfirmed = await context.confirm({
    title: words.retry_title(words.queues[queue.queue]),
    text: words.retry_text(context.format.number(countsOf(queue).failed)),
    confirm: words.retry_failed,
  });
  if (!isConfirmed) return null;
  const { retried } = await context.api.post('/api/v1/admin/queues/{queue}/retry', {
    params: { path: { queue: queue.queue }, query: { days: 1 } },
  });
  return words.retried_done(context.format.number(retried));
}

async function purge({ context, words, queue }: QueueActsView): Promise<string | null> {
  const { format } = context;
  const isConfirmed = await context.confirm({
    title: words.purge_title(words.queues[queue.queue]),
    text: words.purge_text(format.number(countsOf(queue).waiting)),
    confirm: words.purge,
    isDangerous: true,
  });
  if (!isConfirmed) return null;
  const { cancelled, remaining } = await context.api.post('/api/v1/admin/queues/{queue}/purge', {
    params: { path: { queue: queue.queue } },
  });
  return words.purged_done(format.number(cancelled), format.number(remaining));
}
