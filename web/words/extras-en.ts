/** The words of the menus and forms that the inbox loads when they are first used, in English. */
export const EXTRAS_EN = {
  snooze_hour: 'For an hour',
  snooze_tonight: 'Until tonight',
  snooze_tomorrow: 'Until tomorrow',
  snooze_monday: 'Until Monday',
  snooze_date: 'Until another date',
  snooze_apply: 'Snooze',
  save: 'Save',
  why_kind: (kind: string): string => `You receive “${kind}” according to your preferences.`,
  why_required: (kind: string): string => `“${kind}” is always sent: it follows from an action of yours.`,
  why_sent: (channel: string, when: string): string => `${channel}: sent on ${when}`,
  why_waits: (channel: string, when: string): string => `${channel}: to be sent on ${when}`,
  why_not_sent: (channel: string): string => `${channel}: not sent`,
  why_inbox_only: 'It appears only here: no message was sent.',
  audiences: {
    responsible: 'You are responsible for it.',
    unassigned: 'No one is responsible for it, and you are an administrator.',
    alert_recipient: 'You receive the alerts of your organization.',
    addressed: 'The sender chose you.',
    self: 'It is about you, or you asked for it.',
  } as Record<string, string>,
  quiet_hours: 'Quiet hours',
  quiet_from: 'From',
  quiet_to: 'To',
  channels: { email: 'E-mail', sms: 'Text', push: 'Push' } as Record<string, string>,
};

export type ExtraWords = typeof EXTRAS_EN;
