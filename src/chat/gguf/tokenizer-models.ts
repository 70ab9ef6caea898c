import { z } from 'zod';
import type { Metadata } from '../../engine/local/files/gguf/metadata.ts';
import { ModelError } from '../../errors.ts';
import { BYTE_LEVEL, PRE_TOKENIZERS, preTokenizerJson } from './pre-tokenizers.ts';
import { TOKEN_KIND, type Token } from './tokens.ts';

/** @file How a text becomes tokens, by the two kinds of byte-pair encoding that GGUF files have. */

/** The parts of `tokenizer.json` that differ between the kinds, and what llama.cpp takes where a file does not say. */
export type TokenizerModel = {
  readonly json: Readonly<Record<'normalizer' | 'pre_tokenizer' | 'decoder' | 'model', object | null>>;
  readonly addsBeginning: boolean;
};

const KINDS: Readonly<Record<string, (metadata: Metadata, tokens: readonly Token[]) => TokenizerModel>> = {
  gpt2: byteLevel,
  llama: sentencePieces,
};

/** @throws ModelError naming the kind, or the rule of where a word ends, where it is not known. */
export function tokenizerModel(metadata: Metadata, tokens: readonly Token[]): TokenizerModel {
  const name = metadata.read('tokenizer.ggml.model', z.string());
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind !== undefined) return kind(metadata, tokens);
  throw new ModelError(
    `${metadata.path}: tokenizer.ggml.model is "${name}"; supported are "gpt2" (byte-level BPE) and "llama" (SentencePiece BPE)`,
  );
}

/** GPT-2's: bytes under printable names, merged in the order that the file lists. */
function byteLevel(metadata: Metadata, tokens: readonly Token[]): TokenizerModel {
  const name = metadata.find('tokenizer.ggml.pre', z.string()) ?? 'default';
  const rule = PRE_TOKENIZERS.get(name);
  if (rule === undefined) {
    const known = [...PRE_TOKENIZERS.keys()].join(', ');
    throw new ModelError(
      `${metadata.path}: tokenizer.ggml.pre is "${name}"; supported are ${known}. ` +
        "Take the model's Hugging Face folder, which has a tokenizer.json",
    );
  }
  const { ignoreMerges = false } = rule;
  const merges = metadata.read('tokenizer.ggml.merges', z.array(z.string())).map(pairOf);
  return {
    json: {
      normalizer: null,
      pre_tokenizer: preTokenizerJson(rule),
      decoder: BYTE_LEVEL,
      model: bytePairs(tokens, merges, { ignore_merges: ignoreMerges }),
    },
    addsBeginning: ignoreMerges,
  };
}

type Merge = readonly [left: string, right: string];

/** The first blank behind the first character parts the two: a token may be a blank itself. */
function pairOf(merge: string): Merge {
  const at = merge.indexOf(' ', 1);
  return [merge.slice(0, at), merge.slice(at + 1)];
}

/** Llama 2's: characters, a blank among them, merged into the piece with the best score; bytes for what has no piece. */
function sentencePieces(metadata: Metadata, tokens: readonly Token[]): TokenizerModel {
  const prefix = metadata.find('tokenizer.ggml.add_space_prefix', z.boolean()) ?? true;
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: BLANK };
  const back = { type: 'Replace', pattern: { String: BLANK }, content: ' ' };
  const strip = prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : [];
  const unknown = tokens.find(({ kind }) => kind === TOKEN_KIND.unknown)?.text ?? null;
  return {
    json: {
      normalizer: {
        type: 'Sequence',
        normalizers: [...(prefix ? [{ type: 'Prepend', prepend: BLANK }] : []), replace],
      },
      pre_tokenizer: null,
      decoder: { type: 'Sequence', decoders: [back, { type: 'ByteFallback' }, { type: 'Fuse' }, ...strip] },
      model: bytePairs(tokens, mergesOf(tokens), { byte_fallback: true, fuse_unk: true, unk_token: unknown }),
    },
    addsBeginning: true,
  };
}

const BLANK = '▁';

/** Every way to put a piece together from two others; pieces with a better score first. */
function mergesOf(tokens: readonly Token[]): Merge[] {
  const mergeable = tokens.filter(({ kind }) => kind === TOKEN_KIND.normal || kind === TOKEN_KIND.userDefined);
  const pieces = new Map(mergeable.map((token) => [token.text, token]));
  const ranked = [...pieces.values()].sort((a, b) => b.score - a.score);
  return ranked.flatMap(({ text }) => {
    const characters = [...text];
    const cuts = characters.slice(1).map((_, at) => {
      return [characters.slice(0, at + 1).join(''), characters.slice(at + 1).join('')] as const;
    });
    return cuts.filter(([left, right]) => pieces.has(left) && pieces.has(right));
  });
}

function bytePairs(tokens: readonly Token[], merges: readonly Merge[], more: object): object {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab: Object.fromEntries(tokens.map(({ text, id }) => [text, id])),
    merges,
    ...more,
  };
}
