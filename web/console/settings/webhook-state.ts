import type { components } from '../../client/api.js';
import type { Tone } from '../../design/badge.js';
import type { ProgramWords } from '../../words/console/settings-programs.js';

export type Endpoint = components['schemas']['EndpointView'];
export type Attempt = components['schemas']['AttemptView'];
export type TestAnswer = components['schemas']['TestView'];

/** The state of an endpoint: a tone and a word. */
export function verdictOf(
  { state, failing_since }: Pick<Endpoint, 'state' | 'failing_since'>,
  { states }: ProgramWords,
): [Tone, string] {
  if (state === 'disabled') return ['neutral', states.disabled];
  return failing_since === null ? ['good', states.enabled] : ['critical', states.failing];
}

/** Why there was no answer, in words for people; `null` where there was one. */
export function faultOf(
  { fault }: Pick<Attempt, 'fault'>,
  { faults, test_none }: ProgramWords,
): string | null {
  return fault === null ? null : (faults[fault] ?? test_none);
}
