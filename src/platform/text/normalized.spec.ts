import { cpuMs } from '../../../test/support/cpu-time.js';
import { comparable, normalized } from './normalized.js';

describe('F2: a text', () => {
  it.each([
    ['  Trésorerie\u200b ', 'Trésorerie'],
    ['Tre\u0301sorerie', 'Trésorerie'],
    ['\ufeff\u00a0paie\u00a0\u200b', 'paie'],
    ['\u200b\u2060\u00ad\u3164\u2800 ', ''],
    ['a\u00a0b', 'a\u00a0b'],
    ['\u200fשלום\u200f', 'שלום'],
    ['❤\ufe0f', '❤\ufe0f'],
    [
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    ],
    ['👨\u200d👩\u200d👧 ', '👨\u200d👩\u200d👧'],
    ['\ufe0f\u{e0100}', ''],
  ])('%j is stored as %j', (written, stored) => {
    expect(normalized(written)).toBe(stored);
    expect(normalized(stored)).toBe(stored);
  });

  it.each([
    ['Bilan\u00a02026', 'Bilan 2026'],
    ['Bilan\u202f2026', 'Bilan 2026'],
    ['pa\u200bie', 'paie'],
    ['pa\u00adie\u2060', 'paie'],
    ['\ufeffTre\u0301sorerie', 'Trésorerie'],
    ['👨\u200d👩', '👨\u200d👩'],
  ])('%j is compared as %j', (written, compared) => {
    expect(comparable(written)).toBe(compared);
    expect(comparable(compared)).toBe(compared);
  });

  it('handles a megabyte of invisible characters quickly', () => {
    const began = cpuMs();
    expect(normalized(`a${'\u200b'.repeat(1_000_000)}b${'\u200b'.repeat(1_000_000)}`)).toHaveLength(
      1_000_002,
    );
    expect(cpuMs() - began).toBeLessThan(1_000);
  });
});
