import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { parseConfig } from '../../src/engine/local/model/architectures.ts';
import { initialWeights, type Weights } from '../../src/engine/local/model/weights.ts';
import { temporaryFolder } from '../temporary.ts';

/** The special tokens behind the 256 bytes. */
const SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', 'Answer: 7'] as const;
const [END, ANSWER] = [258, 259];

const config = parseConfig('config.json', {
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  vocab_size: 264,
  hidden_size: 16,
  intermediate_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  tie_word_embeddings: false,
});

/** A Qwen3 with random weights in an ordinary folder: byte-level tokenizer, ChatML template unless another is given. */
export async function randomChatModel(template?: string): Promise<string> {
  return chatModel(initialWeights(config, 1), template);
}

/**
 * The same folder with weights set by hand: nothing is attended to, whatever is said last is answered by "Answer: 7", and
 * that by the end of the turn. A model that can be told beforehand.
 */
export async function sevenSayer(): Promise<string> {
  const weights = initialWeights(config, 1);
  for (const name of ['self_attn.o_proj', 'mlp.down_proj']) weights.get(`model.layers.0.${name}.weight`).data.fill(0);
  const { hiddenSize } = config;
  const embedding = weights.get('model.embed_tokens.weight').data.fill(0);
  for (let token = 0; token < config.vocabSize; token++) embedding[token * hiddenSize + Number(token === ANSWER)] = 1;
  const head = weights.get('lm_head.weight').data.fill(0);
  head[ANSWER * hiddenSize] = 50;
  head[END * hiddenSize + 1] = 50;
  return chatModel(weights);
}

async function chatModel(weights: Weights, template = CHATML): Promise<string> {
  const folder = temporaryFolder();
  await writeModelFolder(folder, weights);
  const write = (name: string, value: object) => writeFileSync(join(folder, name), JSON.stringify(value));
  write('generation_config.json', { eos_token_id: END });
  write('tokenizer.json', tokenizer());
  write('tokenizer_config.json', { eos_token: SPECIAL[2], chat_template: template });
  return folder;
}

const CHATML =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

function tokenizer(): object {
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const vocab = Object.fromEntries(alphabet().map((character, byte) => [character, byte]));
  const added = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: '1.0',
    added_tokens: SPECIAL.map((content, index) => ({ id: 256 + index, content, ...added })),
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: { type: 'BPE', vocab, merges: [], unk_token: null, byte_fallback: false },
  };
}

/** A character for each byte, as byte-level tokenizers write them: printable ones stand for themselves. */
function alphabet(): string[] {
  let strange = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(printable ? byte : strange++);
  });
}
