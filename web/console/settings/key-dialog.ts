import { html, nothing, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { en, fr } from '../../words/console/settings-programs.js';
import { wordsIn } from '../context.js';
import { type DialogHead, FormDialog } from '../form-dialog.js';
import { boxesField, textField } from './fields.js';

type NewKey = components['schemas']['NewApiKey'];
type Scope = NewKey['scopes'][number];

const SCOPES = [
  'watched:read',
  'watched:write',
  'users:read',
  'users:write',
  'events:write',
  'notifications:read',
  'notifications:write',
  'admin',
  'reports:write',
] as const satisfies readonly Scope[];
const AGENTS: Scope = 'reports:write';
const AGENT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Creates a key. Sends `key-created` with its secret, and `dialog-closed`. */
export class KeyDialog extends FormDialog {
  private name = '';
  private scopes: Scope[] = [];
  private agent = '';
  private expires = '';

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get isAgents(): boolean {
    return this.scopes.includes(AGENTS);
  }

  protected override get head(): DialogHead {
    return { name: 'key', title: this.words.add_key, submit: this.words.create };
  }

  private get rules(): Readonly<Record<string, string>> {
    const { words, scopes } = this;
    return {
      name: words.name_rule,
      scopes: scopes.length > 1 ? words.alone : words.scopes_rule,
      agent_id: words.agent_rule,
      expires_at: words.expires_rule,
    };
  }

  protected override check(): void {
    const { scopes, isAgents, expires } = this;
    const isWrong: Readonly<Record<string, boolean>> = {
      name: this.name.trim() === '',
      scopes: scopes.length === 0 || (isAgents && scopes.length > 1),
      agent_id: isAgents && !AGENT_ID.test(this.agent),
      expires_at: expires !== '' && expires <= this.context.format.civilDate(),
    };
    for (const [field, rule] of Object.entries(this.rules)) {
      if (isWrong[field] === true) this.invalid.set(field, rule);
    }
  }

  protected override refused(field: string): string | null {
    return this.rules[field] ?? null;
  }

  protected override async save(): Promise<void> {
    const body: NewKey = {
      name: this.name.trim(),
      scopes: this.scopes,
      agent_id: this.isAgents ? this.agent : null,
      // The end of the day that the person chose, wherever the server is.
      expires_at: this.expires === '' ? null : new Date(`${this.expires}T23:59:59`).toISOString(),
    };
    const { key } = await this.context.api.post('/api/v1/tenant/api-keys', { body });
    this.dispatchEvent(new CustomEvent('key-created', { detail: key }));
  }

  protected override fields(): TemplateResult {
    const { words } = this;
    return html`${textField(
      this.field('name', words.name),
      this.name,
      (text) => this.set('name', () => (this.name = text)),
      { maxlength: 200, isRequired: true },
    )}
    ${boxesField(
      this.field('scopes', words.scopes),
      this.scopes,
      SCOPES.map((scope) => [scope, words.scope_names[scope] ?? scope] as const),
      (scopes) => this.set('scopes', () => (this.scopes = scopes)),
    )}
    ${
      this.isAgents
        ? textField(
            this.field('agent_id', words.agent, words.agent_rule),
            this.agent,
            (text) => this.set('agent_id', () => (this.agent = text)),
            { maxlength: 100, isRequired: true },
          )
        : nothing
    }
    ${textField(
      this.field('expires_at', words.expires, words.expires_hint, 'short'),
      this.expires,
      (text) => this.set('expires_at', () => (this.expires = text)),
      { type: 'date' },
    )}`;
  }
}

if (customElements.get('key-dialog') === undefined) customElements.define('key-dialog', KeyDialog);
