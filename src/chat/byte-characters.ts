/** A character for each byte, as byte-level vocabularies spell it: printable ones stand for themselves. */
const CHARACTERS: readonly string[] = (() => {
  let strange = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(printable ? byte : strange++);
  });
})();

/** Spells a text as byte-level vocabularies do: each of its UTF-8 bytes as a character. */
export const byteCharacters = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => CHARACTERS[byte]).join('');
