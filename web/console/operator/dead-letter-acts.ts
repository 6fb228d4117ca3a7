import { html, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import type { OperatorWords } from '../../words/console/operator.js';
import type { ConsoleContext } from '../context.js';
import type { Acting } from '../settings/acting.js';

type Schemas = components['schemas'];
type DeadLetters = Schemas['DeadLettersView'];
type Act = Schemas['DeadLetterActView'];

/** Longest reason, in characters. */
const MAX_WHY = 400;

export interface DeadLetterActsView {
  context: ConsoleContext;
  words: OperatorWords;
  acting: Acting;
  /** The days that the list shows. */
  days: number;
  letters: DeadLetters;
  /** Loads what the act has changed. */
  refresh: () => Promise<unknown>;
}

/** Send the deliveries of a cause again, or give them up. Each is confirmed with its number, and acts once. */
export function deadLetterActs(view: DeadLetterActsView): TemplateResult {
  const { words, acting, letters } = view;
  const act = (label: string, run: () => Promise<Act | null>, style = '') =>
    html`<button
      type="button"
      class="outlined ${style}"
      aria-label="${label}, ${letters.cause === '' ? words.no_cause : letters.cause}"
      aria-disabled=${acting.now ? 'true' : 'false'}
      @click=${() => void perform(view, run)}
    >
      ${label}
    </button>`;
  return html`<span class="acts">
    ${act(words.dead_requeue, () => requeue(view))} ${act(words.dead_discard, () => discard(view), 'danger')}
  </span>`;
}

/** An act that still runs, with its progress. */
export function runningActs(
  { context: { format }, words }: Pick<DeadLetterActsView, 'context' | 'words'>,
  acts: readonly Act[],
): TemplateResult[] {
  return acts
    .filter(({ state }) => state === 'running')
    .map(
      ({ act, done, total }) =>
        html`<p class="note" role="status">
          ${(act === 'requeue' ? words.dead_requeueing : words.dead_discarding)(
            format.number(done),
            format.number(total),
          )}
        </p>`,
    );
}

async function perform(
  { context, words, acting, refresh }: DeadLetterActsView,
  run: () => Promise<Act | null>,
): Promise<void> {
  await acting.run(context, async () => {
    const done = await run();
    if (done === null) return;
    const [moved, total] = [context.format.number(done.done), context.format.number(done.total)];
    const text = done.act === 'requeue' ? words.dead_requeued : words.dead_discarded;
    context.toast({ text: text(moved, total), tone: 'good' });
    await refresh();
  });
}

async function requeue({ context, words, letters, days }: DeadLetterActsView): Promise<Act | null> {
  const isConfirmed = await context.confirm({
    title: words.dead_requeue_title,
    text: words.dead_requeue_text(context.format.number(letters.count)),
    confirm: words.dead_requeue,
  });
  if (!isConfirmed) return null;
  return context.api.post('/api/v1/admin/dead-letters/requeue', { body: choiceOf(letters, days) });
}

async function discard({ context, words, letters, days }: DeadLetterActsView): Promise<Act | null> {
  let why = '';
  const isConfirmed = await context.confirm({
    title: words.dead_discard_title,
    text: words.dead_discard_text(context.format.number(letters.count)),
    confirm: words.dead_discard,
    isDangerous: true,
    field: { label: words.dead_why, maxLength: MAX_WHY, changed: (text) => (why = text) },
  });
  if (!isConfirmed) return null;
  return context.api.post('/api/v1/admin/dead-letters/discard', {
    body: { ...choiceOf(letters, days), why },
  });
}

function choiceOf({ channel, cause, reason }: DeadLetters, days: number) {
  return { channel, cause, reason, days };
}
