import { type SmtpStep, verdictOf } from './reply.js';

function judged(step: SmtpStep, reply: string, logged_in = true): string {
  const { failure, cause, with_message } = verdictOf(step, Number(reply.slice(0, 3)), reply, logged_in);
  return [failure, cause, with_message ? 'with the mail' : null].filter(Boolean).join(' ');
}

describe('verdictOf', () => {
  it.each<[SmtpStep, string, string]>([
    ['session', '421 4.7.0 Try again later', 'channel unreachable'],
    ['session', '554 5.7.1 Your address is blocked', 'channel policy'],
    ['session', '454 4.7.0 TLS not available', 'channel policy'],
    ['login', '535 5.7.8 Bad credentials', 'channel login'],
    ['login', '454 4.7.0 Temporary authentication failure', 'channel login'],
    ['login', '534 5.7.9 Application-specific password required', 'channel login'],
    ['login', '421 4.7.0 Too many errors', 'channel login'],
    ['mail', '530 5.7.0 Authentication required', 'channel login'],
    ['mail', '523 5.7.10 Encryption needed', 'channel tls'],
    ['mail', '554 5.7.1 Access denied', 'channel policy'],
    ['mail', '550 5.7.60 Client does not have permissions to send as this sender', 'channel policy'],
    ['mail', '451 4.7.1 Greylisted', 'channel policy'],
    ['mail', '553 5.1.8 Sender address rejected', 'channel misconfigured'],
    ['mail', '451 4.3.0 Local error', 'channel unreachable'],
    ['mail', '452 4.3.1 Insufficient system storage', 'channel unreachable'],
    ['mail', '503 5.5.1 Bad sequence', 'channel misconfigured'],
    ['rcpt', '421 4.3.2 Closing', 'channel unreachable with the mail'],
    ['data', '421 4.3.2 Closing', 'channel unreachable with the mail'],
    ['rcpt', '452 4.3.1 Insufficient system storage', 'channel unreachable with the mail'],
  ])('M2: at %s %j is %s', (step, reply, verdict) => {
    expect(judged(step, reply)).toBe(verdict);
  });

  it.each<[SmtpStep, string, string]>([
    ['mail', '550 5.4.5 Daily user sending limit exceeded', 'channel quota'],
    ['mail', '452 4.4.5 Too many messages today', 'channel quota'],
    ['data', '550 5.4.5 Daily user sending limit exceeded', 'channel quota with the mail'],
  ])('F8: at %s %j is %s', (step, reply, verdict) => {
    expect(judged(step, reply)).toBe(verdict);
  });

  it.each([
    '554 5.7.1 <mail.cabinet.example[192.0.2.7]>: Client host rejected: Access denied',
    '554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org',
    '554 5.7.1 <a@client.example>: Relay access denied',
    '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain',
    '553 5.7.1 <vigie@cabinet.example>: Sender address rejected: not owned by user vigie',
    '550 5.7.1 Authentication required',
    '550 5.7.1 You are not logged in',
  ])('M7: at RCPT %j names who sends: the account', (reply) => {
    expect(judged('rcpt', reply)).toBe('channel policy with the mail');
  });

  it.each([
    ['550 5.7.1 You are not permitted to write to this list', 'permanent'],
    ['554 5.7.1 <a@client.example>: Recipient address rejected: Access denied', 'permanent'],
    ['450 4.7.1 <a@client.example>: Recipient address rejected: Greylisted', 'retryable'],
    ['550 5.1.1 No such user', 'permanent'],
    ['552 5.2.2 Mailbox full', 'permanent'],
    ['452 4.2.2 Mailbox full', 'retryable'],
  ])('M7: at RCPT %j is the recipient: %s', (reply, verdict) => {
    expect(judged('rcpt', reply)).toBe(verdict);
  });

  it('M7: "Access denied" at RCPT without a login means that one is missing', () => {
    const reply = '554 5.7.1 <a@client.example>: Recipient address rejected: Access denied';
    expect(judged('rcpt', reply, false)).toBe('channel policy with the mail');
  });

  it.each<[SmtpStep, string, string]>([
    ['mail', '552 5.3.4 Message too big', 'permanent'],
    ['mail', '552 Message exceeds fixed size', 'permanent'],
    ['data', '554 5.7.1 Spam message rejected', 'permanent'],
    ['data', '550 5.6.0 Bad contents', 'permanent'],
    ['data', '451 4.3.0 Queue file write error', 'retryable'],
  ])('at %s %j is about the mail: %s', (step, reply, verdict) => {
    expect(judged(step, reply)).toBe(verdict);
  });
});
