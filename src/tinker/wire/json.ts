import { WireError } from '../../errors.ts';

/** A number too long to be exact; in a JSON text a bare quote on both sides of the name can only be a key's. */
const LONG_SEQ_ID = /("seq_id"\s*:\s*)(\d{16,19})(?=\s*[,}])/g;

/**
 * Reads JSON whose `seq_id` may be beyond exact numbers, as those of cloned sampling clients are: it is text then, for
 * two neighbours must not become one. @throws WireError on what is no JSON.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replaceAll(LONG_SEQ_ID, '$1"$2"'));
  } catch (error) {
    throw new WireError(`the body is not JSON: ${(error as Error).message}`); // JSON.parse throws nothing else
  }
}
