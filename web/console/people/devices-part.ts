import { html, nothing, type TemplateResult } from 'lit';
import { RequestError } from '../../client/rest.js';
import { ago } from '../../design/time.js';
import type { AccessView } from './access-section.js';

/** The devices that get pushes, and whether this browser is one. */
export function devicesPart(view: AccessView): TemplateResult {
  const { words, state } = view;
  return html`<h3>${words.devices}</h3>
    ${
      state.devices.length === 0
        ? html`<p class="note">${words.no_devices}</p>`
        : html`<ul class="person-acts">
            ${state.devices.map((device) => row(view, device))}
          </ul>`
    }
    ${pushPart(view)}`;
}

function row(
  { words, context, state, run }: AccessView,
  { id, name, platform, seen_at }: AccessView['state']['devices'][number],
): TemplateResult {
  const device = name ?? words.device_names[platform] ?? platform;
  const isThis = id === state.push?.deviceId;
  return html`<li>
    <span class="name"
      ><span dir="auto">${device}</span
      ><small
        >${isThis ? html`<strong>${words.this_browser}</strong>` : ago(context.format, seen_at)}</small
      ></span
    >
    <button
      type="button"
      class="outlined"
      aria-label=${words.remove_device(device)}
      @click=${() => run(() => state.removeDevice(id))}
    >
      ${words.remove}
    </button>
  </li>`;
}

/** Why this browser can get no pushes, or the button that turns them on and off: it stays, and keeps the focus. */
function pushPart(view: AccessView): TemplateResult | typeof nothing {
  const { words, state, run } = view;
  if (state.push === null) return nothing;
  const { state: now } = state.push;
  const isChoice = now === 'on' || now === 'off' || now === 'denied';
  return html`<p class="note" id="push-state" role="status">${words.push.states[now]}</p>
    ${
      isChoice
        ? html`<p class="push-turn">
            <button
              type="button"
              class="outlined"
              aria-describedby="push-state"
              @click=${() => run(() => turn(view))}
            >
              ${now === 'on' ? words.push.turn_off : words.push.turn_on}
            </button>
          </p>`
        : nothing
    }`;
}

async function turn({ words, context, state }: AccessView): Promise<void> {
  try {
    await state.turnPush();
  } catch (error) {
    const isRequest = error instanceof RequestError;
    // Of what the browser gives, only its service can be refused.
    if (isRequest && error.code !== 'validation_failed') throw error;
    context.toast({ text: isRequest ? words.push.unknown_service : words.push.failed, tone: 'critical' });
  }
}
