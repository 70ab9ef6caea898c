/** A character for each byte, as byte-level vocabularies spell it: printable ones stand for themselves. */
const CHARACTERS: readonly string[] = (() => {
  let strange = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(printable ? byte : strange++);
  });
})();

const BYTES: ReadonlyMap<string, number> = new Map(CHARACTERS.map((character, byte) => [character, byte]));

/** Spells a text as byte-level vocabularies do: each of its UTF-8 bytes as a character. */
export const byteCharacters = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => CHARACTERS[byte]).join('');

/** The bytes that a token spells; undefined where one of its characters stands for none. */
export function bytesOfCharacters(token: string): Uint8Array | undefined {
  const bytes = Array.from(token, (character) => BYTES.get(character));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined;
}
