import { isCommonPassword } from './common-passwords.js';

it('reads the list again after it could not be read', async () => {
  let reads = 0;
  jest.doMock('@zxcvbn-ts/language-common', () => {
    reads += 1;
    if (reads === 1) throw new Error('too many open files');
    return { dictionary: { 'passwords-common': ['correct horse'] } };
  });
  await jest.isolateModulesAsync(async () => {
    const fresh = await import('./common-passwords.js');
    await expect(fresh.isCommonPassword('correct horse')).rejects.toThrow('too many open files');
    expect(await fresh.isCommonPassword('correct horse')).toBe(true);
  });
  jest.dontMock('@zxcvbn-ts/language-common');
});

describe('S9: a password is too common', () => {
  it.each([
    ['on the list', '1qaz2wsx3edc'],
    ['in capitals', 'SonyEricsson'],
    ['a common word with a year and signs', 'Soleil2026!!'],
    ['a French word with digits', 'motdepasse123456'],
    ['a keyboard row with digits', '123azerty456789'],
    ['a repeated common word', 'marseillemarseille'],
    ['one decorated and repeated', 'password1password1'],
    ['a short part repeated', 'xk2xk2xk2xk2'],
    ['four different characters', 'aabbccddaabbccdd'],
    ['one letter', 'zzzzzzzzzzzz'],
    ['in full-width letters', '\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44123456'],
  ])('is refused as %s', async (_what, password) => {
    expect(await isCommonPassword(password)).toBe(true);
  });

  it.each([
    'correct horse battery staple',
    'une phrase que moi seul connais',
    'v9!kT3#pQ7zL',
    'soleil du matin calme',
  ])('is accepted: %s', async (password) => {
    expect(await isCommonPassword(password)).toBe(false);
  });
});
