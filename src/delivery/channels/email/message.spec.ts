import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import MailComposer from 'nodemailer/lib/mail-composer';
import { wholeMessage } from './message.js';

/** Accents, dots at the start of lines, long lines, every kind of line end, trailing blanks. */
const body = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\n', '\r\n', '\r', ' \n', '.\r\n', '=', '--', 'é'.repeat(90), 'a'.repeat(1200)),
    ),
  )
  .map((parts) => parts.join(''));

describe('wholeMessage', () => {
  it('gives the same bytes as nodemailer’s own stream', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), body, body, async (subject, html, text) => {
        const message = new MailComposer({
          from: { name: 'Société', address: 'vigie@cabinet.example' },
          to: { name: '', address: 'a@client.example' },
          messageId: '<1@cabinet.example>',
          subject,
          html,
          text,
        }).compile();
        const own = await buffer(message.createReadStream());
        expect(wholeMessage(message)?.toString('latin1').trimEnd()).toBe(own.toString('latin1').trimEnd());
      }),
      { numRuns: 300 },
    );
  });

  it('returns null for a message whose content it would have to fetch', () => {
    const message = new MailComposer({
      html: { path: '/etc/passwd' },
      text: 'x',
      disableFileAccess: true,
    }).compile();
    expect(wholeMessage(message)).toBeNull();
  });
});
