import en from '../../templates/en/reasons.json' with { type: 'json' };
import fr from '../../templates/fr/reasons.json' with { type: 'json' };

/** Why a message was sent or not, by the server's reason code: the same words as in its templates. */
export const REASONS_EN: Readonly<Record<string, string>> = en;
export const REASONS_FR: Readonly<Record<string, string>> = fr;
