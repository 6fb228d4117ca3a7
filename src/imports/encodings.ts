import { Problem } from '../platform/errors/problem.js';

/** Decodes bytes into text as they arrive. */
export interface ByteDecoder {
  /** @throws TypeError for bytes that are invalid in the encoding. */
  decode(bytes: Buffer, last: boolean): string;
}

/**
 * 0x80 to 0x9f of Windows-1252; its five undefined bytes stay control characters, which no field accepts. Not
 * TextDecoder, which reads this range as Latin-1 in some releases of Node 20 to 23.
 */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** 0x80 to 0xff of DOS's code page 850, which TextDecoder does not support. https://www.unicode.org/Public/MAPPINGS/ */
const IBM850 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\xad±‗¾¶§÷¸°¨·¹³²■\xa0';
const IBM850_NAMES = ['ibm850', 'cp850', '850', 'cspc850multilingual', 'dos-850', 'ibm-850'];

/**
 * The decoder of an encoding, and its name as stored.
 * @param label a name from the WHATWG Encoding Standard, or of code page 850
 * @throws Problem unsupported_media_type for an unknown one.
 */
export function decoderOf(label: string): { encoding: string; decoder: ByteDecoder } {
  if (IBM850_NAMES.includes(label.toLowerCase())) {
    return { encoding: 'ibm850', decoder: singleBytes(/[\x80-\xff]/g, 0x80, IBM850) };
  }
  const decoder = newTextDecoder(label);
  if (decoder.encoding === 'windows-1252') {
    return { encoding: 'windows-1252', decoder: singleBytes(/[\x80-\x9f]/g, 0x80, WINDOWS_1252) };
  }
  return {
    encoding: decoder.encoding,
    decoder: { decode: (bytes, last) => decoder.decode(bytes, { stream: !last }) },
  };
}

function newTextDecoder(label: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(label, { fatal: true });
  } catch (error) {
    const shown = label.slice(0, 40).replace(/[^\x20-\x7e]/g, '?');
    throw new Problem(
      'unsupported_media_type',
      `the charset "${shown}" is not supported: send the file as UTF-8 or in another charset`,
      { cause: error },
    );
  }
}

function singleBytes(special: RegExp, from: number, table: string): ByteDecoder {
  return {
    decode: (bytes) =>
      bytes.toString('latin1').replace(special, (character) => table.charAt(character.charCodeAt(0) - from)),
  };
}

/** Converts text that was read as Windows-1252 back to its bytes. */
export function windows1252Bytes(text: string): Buffer {
  return Buffer.from(
    Array.from(text, (character) => {
      const special = WINDOWS_1252.indexOf(character);
      return special === -1 ? character.charCodeAt(0) : 0x80 + special;
    }),
  );
}
