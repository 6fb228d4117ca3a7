import { html, nothing, type TemplateResult } from 'lit';
import { ago } from '../../design/time.js';
import type { BackupWords } from '../../words/console/backups.js';
import type { ConsoleContext } from '../context.js';
import type { BackupState } from './backup-state.js';

export interface NoteActs {
  add: (form: HTMLFormElement) => void;
  remove: (id: string) => void;
}

/** The notes of a backup, newest first; admins write them. */
export function notesSection(
  { format, me }: ConsoleContext,
  words: BackupWords,
  { notes, isSaving }: BackupState,
  acts: NoteActs,
): TemplateResult {
  const isAdmin = me.role === 'admin';
  return html`<section>
    <h2>${words.notes}</h2>
    ${notes.length === 0 ? html`<p class="note">${words.no_notes}</p>` : nothing}
    <ul class="notes">
      ${notes.map(
        (note) =>
          html`<li class="card">
            <div class="card-head">
              <p>
                <strong>${note.author ?? words.note_program}</strong>
                <span class="note">${ago(format, note.created_at)}</span>
              </p>
              ${
                isAdmin
                  ? html`<button type="button" class="outlined danger" @click=${() => acts.remove(note.id)}>
                      ${words.note_remove}
                    </button>`
                  : nothing
              }
            </div>
            <p class="prose">${note.text}</p>
          </li>`,
      )}
    </ul>
    ${
      isAdmin
        ? html`<form
            class="note-form"
            @submit=${(event: SubmitEvent) => {
              event.preventDefault();
              acts.add(event.currentTarget as HTMLFormElement);
            }}
          >
            <label for="note-text">${words.note_label}</label>
            <textarea
              id="note-text"
              name="text"
              rows="3"
              maxlength="2000"
              required
              aria-describedby="note-hint"
            ></textarea>
            <small id="note-hint">${words.note_hint}</small>
            <button class="filled" aria-disabled=${isSaving ? 'true' : nothing}>${words.note_add}</button>
          </form>`
        : nothing
    }
  </section>`;
}
