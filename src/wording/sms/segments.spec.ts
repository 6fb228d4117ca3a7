import { segmentsOf, transliterated } from './segments.js';
import { writtenSms } from './sms-text.js';

describe('the segments of a text message', () => {
  it.each([
    ['', 'gsm7', 1, 0],
    ['a'.repeat(160), 'gsm7', 1, 160],
    ['a'.repeat(161), 'gsm7', 2, 161],
    ['a'.repeat(306), 'gsm7', 2, 306],
    ['a'.repeat(307), 'gsm7', 3, 307],
    ['é è à ù Ç', 'gsm7', 1, 9],
    ['é'.repeat(160), 'gsm7', 1, 160],
    ['Relance : 1 250 € {TVA}', 'gsm7', 1, 26],
    // An escape pair is not cut: 152 septets, then a pair that does not fit in the 153rd.
    [`${'a'.repeat(152)}€${'a'.repeat(152)}`, 'gsm7', 3, 306],
    ['ê', 'ucs2', 1, 1],
    ['ç', 'ucs2', 1, 1],
    ['î', 'ucs2', 1, 1],
    ['ô', 'ucs2', 1, 1],
    ['œ', 'ucs2', 1, 1],
    ['l’échéance', 'ucs2', 1, 10],
    ['ê'.repeat(70), 'ucs2', 1, 70],
    ['ê'.repeat(71), 'ucs2', 2, 71],
    ['ê'.repeat(134), 'ucs2', 2, 134],
    ['ê'.repeat(135), 'ucs2', 3, 135],
    ['Bravo 🎉', 'ucs2', 1, 8],
    // A surrogate pair is not cut either.
    [`${'ê'.repeat(66)}🎉${'ê'.repeat(66)}`, 'ucs2', 3, 134],
  ] as const)('%j: %s, %i segments', (text, encoding, segments, units) => {
    expect(segmentsOf(text)).toEqual({ encoding, segments, units });
  });

  it('of a French text fall from UCS-2 to GSM-7 when it is transliterated', () => {
    const text =
      'L’échéance « TVA » de Noël approche… prévenez l’agence dès aujourd’hui – côté reçu, œuvre n° 3';
    expect(segmentsOf(text)).toMatchObject({ encoding: 'ucs2', segments: 2 });
    const plain = transliterated(text);
    expect(plain).toBe(
      `L'échéance " TVA " de Noel approche... prévenez l'agence dès aujourd'hui - coté recu, oeuvre no 3`,
    );
    expect(segmentsOf(plain)).toMatchObject({ encoding: 'gsm7', segments: 1 });
  });

  it.each(['🎉', '日本', 'Привет'])('keeps %s, which has no equivalent', (text) => {
    expect(transliterated(text)).toBe(text);
  });

  it('E3: a written text is not transliterated if that would make it too long and cut its end', () => {
    const short = writtenSms('Prévenez l’agence…', true);
    expect(short).toEqual({ text: "Prévenez l'agence...", segments: 1 });
    const longest = `${'a'.repeat(1_598)}…z`;
    expect(writtenSms(longest, true).text).toBe(longest);
  });
});
