import { html, nothing, type TemplateResult } from 'lit';
import type { Formats } from '../../design/formats.js';
import type { BackupWords } from '../../words/console/backups.js';
import type { Entry } from './backup-state.js';

/** Everything that is known of one backup: what the agent reported, what the server found, and how they compare. */
export function entryFacts(entry: Entry, words: BackupWords, format: Formats): TemplateResult {
  const { entry: label } = words;
  const at = (iso: string | null) => (iso === null ? null : format.full(iso));
  const bytes = (size: number | null) =>
    size === null ? null : `${format.bytes(size)} (${format.number(size)})`;
  const compared = (match: boolean | null) =>
    match === null ? label.not_compared : match ? label.same : label.differs;
  const lines: (readonly [string, unknown])[] = [
    [label.reason, entry.reason === null ? null : words.reasons[entry.reason]],
    [label.detail, text(entry.detail)],
    [label.warnings, entry.warnings.map((warning) => words.warnings[warning]).join(', ')],
    [label.expected, at(entry.expected_at)],
    [label.reported, at(entry.operation_timestamp_utc)],
    [label.evaluated, at(entry.evaluated_at)],
    [label.file, code(entry.staged_file_name)],
    [label.agent_status, entry.status],
    [label.agent_hash, code(entry.hash_sha256)],
    [label.server_hash, code(entry.server_hash_sha256)],
    [label.hash, entry.hash_sha256 === null ? null : compared(entry.hashes_match)],
    [label.agent_size, bytes(entry.size_bytes)],
    [label.server_size, bytes(entry.server_size_bytes)],
    [label.size, entry.size_bytes === null ? null : compared(entry.sizes_match)],
    [label.uncompressed, bytes(entry.compress_size_pre_compress)],
    [label.compressed, bytes(entry.compress_size_post_compress)],
    [label.transfer, entry.agent_transfer_process_status],
    [label.transfer_began, at(entry.agent_transfer_process_start_time_utc)],
    [label.transfer_ended, at(entry.agent_transfer_process_timestamp_utc)],
    [label.transfer_error, text(entry.agent_transfer_error_message)],
    [label.error, text(entry.error_msg)],
    [label.log, text(entry.logs_summary)],
    [
      label.stored,
      entry.stored_path === null
        ? null
        : html`${code(entry.stored_path)}
            <span class="note"
              >${entry.stored_state === null ? nothing : words.stored_states[entry.stored_state]}</span
            >`,
    ],
    [label.verified, at(entry.verified_at)],
    [label.id, code(entry.id)],
  ];
  return html`<dl class="facts entry-facts">
    ${lines
      .filter(([, value]) => value !== null && value !== '')
      .map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
  </dl>`;
}

function code(value: string | null): TemplateResult | null {
  return value === null ? null : html`<code>${value}</code>`;
}

/** What the agent wrote, with its line ends. */
function text(value: string | null): TemplateResult | null {
  return value === null ? null : html`<span class="prose">${value}</span>`;
}
