import { z } from 'zod';

/** @file Decoders in forms that the library carries out as Python's `tokenizers` does. */

const step = z.looseObject({ type: z.string() });

const AS_THEY_ARE = ['ByteLevel', 'WordPiece', 'BPEDecoder', 'Fuse', 'ByteFallback', 'Strip'];

/** The library inserts `content` by the rules of JavaScript's `replaceAll`, in which a dollar sign has a meaning. */
const replace = z.looseObject({
  type: z.string(),
  content: z.string().transform((text) => text.replaceAll('$', '$$$$')),
});

const sequence = z.looseObject({ type: z.string(), decoders: z.array(z.unknown()) });

const metaspace = z.looseObject({ replacement: z.string(), prepend_scheme: z.string().default('always') });

/** @throws Error naming a decoder that is not supported, or what is wrong with one. */
export function decoderOf(json: unknown): unknown {
  if (json === null || json === undefined) return null;
  const { type } = step.parse(json);
  if (AS_THEY_ARE.includes(type)) return json;
  if (type === 'Replace') return replace.parse(json);
  if (type === 'Sequence') {
    const { decoders, ...rest } = sequence.parse(json);
    return { ...rest, decoders: decoders.map(decoderOf) };
  }
  if (type === 'Metaspace') return spelledOut(metaspace.parse(json));
  throw new Error(`the decoder ${type} is not supported`);
}

/** The sign in front of the text goes where it was put by the pre-tokenizer; the others become blanks. */
function spelledOut({ replacement, prepend_scheme }: z.output<typeof metaspace>): object {
  const first = { type: 'Replace', pattern: { Regex: `\\A${replacement}` }, content: '' };
  const blanks = { type: 'Replace', pattern: { String: replacement }, content: ' ' };
  const steps = prepend_scheme === 'never' ? [blanks] : [{ type: 'Fuse' }, first, blanks];
  return { type: 'Sequence', decoders: steps };
}
