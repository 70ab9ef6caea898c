"""GGUF files and what llama.cpp's own Python package makes of them.

    peer.py formats FOLDER SEED         formats.gguf: a tensor of random blocks a format; formats.f32: their numbers
    peer.py tiny FOLDER                 tiny.gguf: a Llama of one layer with a byte-level BPE tokenizer; tiny.json: hashes
    peer.py vocabularies FOLDER NAME... NAME.gguf: the same tokenizer, cut into words by the rule of that name
    peer.py pieces FOLDER               pieces-true.gguf, pieces-false.gguf: a SentencePiece vocabulary, with and without prefix
    peer.py family FOLDER NAME          NAME.gguf: a small model of a family
    peer.py ids FOLDER TEXTS            what Python's tokenizers makes of each text with FOLDER/tokenizer.json
    peer.py tensors FILE                hashes of the dequantised tensors of a file
    peer.py metadata FILE               the metadata of a file
"""

import hashlib
import json
import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize

# Bytes of a block in which a half-precision scale lies, so that random bytes make no infinities.
SCALES = {
    Type.Q8_0: [0],
    Type.Q4_0: [0],
    Type.Q4_1: [0, 2],
    Type.Q5_0: [0],
    Type.Q5_1: [0, 2],
    Type.Q4_K: [0, 2],
    Type.Q5_K: [0, 2],
    Type.Q6_K: [208],
}
PLAIN = [Type.F32, Type.F16, Type.BF16]
ROWS, WIDTH = 3, 512

# Words, numbers and blanks of all kinds, so that every rule of where a word ends shows in the ids.
TEXTS = [
    "Hello world, it's a test; they'RE here & we'll see I'd've 'S",
    "1 12 123 1234 12345 3.14159 1,000,000 ½ ² x² Ⅷ ٣٤ १२३",
    "  two  blanks\tand tabs\t\t\n\nnew lines\r\n\r\n  indented\n",
    "x = [i**2 for i in range(10)] # $100 + 50% <= ~^|`{}~ a+b=c",
    "naïve café Ünïcödé façade — “quotes” … ‘single’ «guillemets»",
    "日本語のテキスト、中文字符。한국어 텍스트 русский текст العربية עברית ไทย",
    "😊🤖👩‍👩‍👧‍👦 emoji\u200b zero\u00a0width\ufeff \u0085 \u2028 \u3000 done",
    "<|im_start|>user\nWhat is 3 + 4?<|im_end|>\n<|im_start|>assistant\n",
    "a\n b\n  c\n   d   \n e \t f...!!!???---===___",
    "CamelCaseWord snake_case_word kebab-case-word SCREAMING 3rd 2nd 1st v1.2.3 #hashtag @user http://a.b/c?d=e&f",
    " leading", "trailing ", "   ", "\n", "\n\n\n", " \n ", "don't can't won't DON'T", "e\u0301 combining o\u0308",
]


def random_blocks(kind, rng):
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    if kind == Type.F32:
        return rng.standard_normal((ROWS, WIDTH)).astype(np.float32).view(np.uint8).reshape(ROWS, -1)
    if kind == Type.F16:
        values = rng.standard_normal((ROWS, WIDTH)) * 10.0 ** rng.integers(-7, 4, (ROWS, WIDTH))
        return values.astype(np.float16).view(np.uint8).reshape(ROWS, -1)
    if kind == Type.BF16:
        values = (rng.standard_normal((ROWS, WIDTH)) * 10.0 ** rng.integers(-30, 30, (ROWS, WIDTH))).astype(np.float32)
        return (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8).reshape(ROWS, -1)
    blocks = rng.integers(0, 256, (ROWS * WIDTH // weights, size), dtype=np.uint8)
    for at in SCALES[kind]:
        scales = rng.standard_normal(len(blocks)) * 10.0 ** rng.integers(-7, 3, len(blocks))
        blocks[:, at : at + 2] = scales.astype(np.float16).view(np.uint8).reshape(-1, 2)
    return blocks.reshape(ROWS, -1)


def formats(folder, seed):
    rng = np.random.default_rng(int(seed))
    writer = gguf.GGUFWriter(folder / "formats.gguf", "llama")
    wanted = []
    for kind in PLAIN + list(SCALES):
        blocks = random_blocks(kind, rng)
        # The writer takes numbers of the plain types, and bytes of the others.
        data = blocks.view({Type.F32: np.float32, Type.F16: np.float16}.get(kind, np.uint8))
        writer.add_tensor(f"{kind.name}.weight", data, raw_dtype=None if kind in PLAIN[:2] else kind)
        wanted.append(dequantize(data, kind).astype(np.float32).reshape(-1))
    finish(writer)
    (folder / "formats.f32").write_bytes(np.concatenate(wanted).tobytes())


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def vocabulary():
    """Merges that know nothing of words: where a word ends is then seen in the ids."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=CONTROL, initial_alphabet=sorted(alphabet), max_token_length=8, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS * 2 + [text.upper() for text in TEXTS], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    tokens.append("Ġcombining")  # a word that no merges lead to: taken only where a rule says that words come first
    return tokens, [" ".join(merge) if isinstance(merge, list) else merge for merge in model["merges"]]


def add_vocabulary(writer, pre, tokens, merges):
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in CONTROL else 1 for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def vocabularies(folder, *names):
    tokens, merges = vocabulary()
    for name in names:
        writer = gguf.GGUFWriter(folder / f"{name}.gguf", "llama")
        add_shape(writer, len(tokens))
        add_vocabulary(writer, name, tokens, merges)
        finish(writer)


def pieces(folder):
    """A SentencePiece vocabulary, as Llama 2 has it: with and without a blank in front of a text."""
    from tokenizers import Tokenizer, models, trainers

    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(vocab_size=700, limit_alphabet=120, max_token_length=9, show_progress=False)
    tokenizer.train_from_iterator(["▁" + text.replace(" ", "▁") for text in TEXTS] * 2, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merged = ["".join(merge) if isinstance(merge, list) else merge.replace(" ", "") for merge in model["merges"]]
    letters = [token for token in sorted(model["vocab"], key=model["vocab"].get) if token not in set(merged)]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + merged + letters
    kinds = [2, 3, 3] + [6] * 256 + [1] * (len(merged) + len(letters))
    scores = [0.0] * 259 + [-float(rank) for rank in range(len(merged) + len(letters))]
    for prefix in (True, False):
        writer = gguf.GGUFWriter(folder / f"pieces-{str(prefix).lower()}.gguf", "llama")
        add_shape(writer, len(tokens))
        writer.add_tokenizer_model("llama")
        writer.add_token_list(tokens)
        writer.add_token_types(kinds)
        writer.add_token_scores(scores)
        writer.add_add_space_prefix(prefix)
        writer.add_add_bos_token(True)
        finish(writer)


HIDDEN, INNER, HEADS, KEY_HEADS = 64, 96, 4, 2


def add_shape(writer, vocab, layers=1, head=None):
    writer.add_block_count(layers)
    writer.add_context_length(256)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_freq_base(100000.0)
    writer.add_rope_dimension_count(head or HIDDEN // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(vocab)


def tiny(folder):
    rng = np.random.default_rng(1)
    tokens, merges = vocabulary()
    writer = gguf.GGUFWriter(folder / "tiny.gguf", "llama")
    add_shape(writer, len(tokens))
    add_vocabulary(writer, "smollm", tokens, merges)
    keys = HIDDEN // HEADS * KEY_HEADS
    tensors = [
        ("token_embd", (len(tokens), HIDDEN), Type.Q8_0),
        ("blk.0.attn_norm", (HIDDEN,), Type.F32),
        ("blk.0.attn_q", (HIDDEN, HIDDEN), Type.Q4_1),
        ("blk.0.attn_k", (keys, HIDDEN), Type.Q4_0),
        ("blk.0.attn_v", (keys, HIDDEN), Type.Q5_0),
        ("blk.0.attn_output", (HIDDEN, HIDDEN), Type.Q5_1),
        ("blk.0.ffn_norm", (HIDDEN,), Type.F32),
        ("blk.0.ffn_gate", (INNER, HIDDEN), Type.F16),
        ("blk.0.ffn_up", (INNER, HIDDEN), Type.BF16),
        ("blk.0.ffn_down", (HIDDEN, INNER), Type.Q8_0),
        ("output_norm", (HIDDEN,), Type.F32),
    ]
    for name, shape, kind in tensors:
        weights = (1 + 0.1 * rng.standard_normal(shape) if len(shape) == 1 else 0.3 * rng.standard_normal(shape)).astype(np.float32)
        if kind in (Type.F32, Type.F16):
            writer.add_tensor(f"{name}.weight", weights.astype({Type.F32: np.float32, Type.F16: np.float16}[kind]))
        else:
            writer.add_tensor(f"{name}.weight", quantize(weights, kind), raw_dtype=kind)
    finish(writer)
    kinds = {"as it is": None, "F16": Type.F16, "Q8_0": Type.Q8_0}
    wanted = {name: hashes(folder / "tiny.gguf", kind) for name, kind in kinds.items()}
    (folder / "tiny.json").write_text(json.dumps(wanted, indent=1) + "\n")


PLAIN_PARTS = ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"]
BEHIND = ["attn_q", "attn_k", "attn_v", "attn_output", "attn_q_norm", "attn_k_norm", "post_attention_norm", "ffn_gate", "ffn_up",
          "ffn_down", "post_ffw_norm"]
# Layers, parts of a layer, parts that are as wide as a head, keys beside the common ones.
FAMILIES = {
    "llama": (2, PLAIN_PARTS + ["attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_output.bias"], [], {}),
    "llama3": (2, PLAIN_PARTS, [], {"rope": 8}),
    "linear": (2, PLAIN_PARTS, [], {"linear": 4.0}),
    "qwen2": (2, PLAIN_PARTS + ["attn_q.bias", "attn_k.bias", "attn_v.bias"], [], {}),
    "qwen3": (2, PLAIN_PARTS + ["attn_q_norm", "attn_k_norm"], ["attn_q_norm", "attn_k_norm"], {"key_length": 24}),
    "smollm3": (5, PLAIN_PARTS, [], {}),
    "olmo2": (2, BEHIND, [], {"head": True}),
    "phi3": (2, ["attn_norm", "attn_qkv", "attn_output", "ffn_norm", "ffn_up_2", "ffn_down"], [], {"head": True}),
    "gemma3": (7, ["attn_norm", "ffn_norm"] + BEHIND, ["attn_q_norm", "attn_k_norm"], {"window": 16, "key_length": 24}),
}


def llama3_factors(factor, theta, size):
    """As llama.cpp's converter writes them."""
    frequencies = 1.0 / (theta ** (np.arange(0, size, 2, dtype=np.float64) / size))
    wavelengths = 2 * np.pi / frequencies
    smooth = np.clip((8192 / wavelengths - 1) / (4 - 1), 0, 1)
    return (1 / ((1 - smooth) / factor + smooth)).astype(np.float32)


def family(folder, name):
    layers, parts, narrow, more = FAMILIES[name]
    arch = "llama" if name in ("llama3", "linear") else name
    rng = np.random.default_rng(7)
    tokens, merges = vocabulary()
    writer = gguf.GGUFWriter(folder / f"{name}.gguf", arch)
    head = more.get("key_length", HIDDEN // HEADS)
    add_shape(writer, len(tokens), layers, head)
    add_vocabulary(writer, "smollm", tokens, merges)
    writer.add_key_length(head)
    writer.add_value_length(head)
    if "window" in more:
        writer.add_sliding_window(more["window"])
    if "linear" in more:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(more["linear"])
    if "rope" in more:
        writer.add_tensor("rope_freqs.weight", llama3_factors(more["rope"], 100000.0, head))
    queries, keys = head * HEADS, head * KEY_HEADS
    shapes = {
        "attn_q": (queries, HIDDEN), "attn_k": (keys, HIDDEN), "attn_v": (keys, HIDDEN), "attn_output": (HIDDEN, queries),
        "attn_q.bias": (queries,), "attn_k.bias": (keys,), "attn_v.bias": (keys,), "attn_output.bias": (HIDDEN,),
        "attn_qkv": (queries + 2 * keys, HIDDEN), "ffn_up_2": (2 * INNER, HIDDEN),
        "ffn_gate": (INNER, HIDDEN), "ffn_up": (INNER, HIDDEN), "ffn_down": (HIDDEN, INNER),
        "attn_q_norm": (head if "attn_q_norm" in narrow else queries,),
        "attn_k_norm": (head if "attn_k_norm" in narrow else keys,),
    }

    def add(tensor, shape):
        weights = 0.4 * rng.standard_normal(shape)
        weights = (1 + weights if tensor.endswith("norm.weight") else weights).astype(np.float32)
        writer.add_tensor(tensor, weights)

    add("token_embd.weight", (len(tokens), HIDDEN))
    for layer in range(layers):
        for part in parts:
            full = part if part.endswith(".bias") else f"{part.removesuffix('_2')}.weight"
            add(f"blk.{layer}.{full}", shapes.get(part, (HIDDEN,)))
    add("output_norm.weight", (HIDDEN,))
    if "head" in more:
        add("output.weight", (len(tokens), HIDDEN))
    finish(writer)


PARTS = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def rounded(weights, kind):
    """Matrices as an export in this format keeps them; rows that are no whole number of blocks are kept as F16."""
    if kind is None or weights.ndim == 1:
        return weights
    fitting = kind if weights.shape[1] % gguf.GGML_QUANT_SIZES[kind][0] == 0 else Type.F16
    return dequantize(quantize(weights, fitting), fitting).astype(np.float32).reshape(weights.shape)


def hashes(path, kind=None):
    """SHA-256 of the float32 bytes of each tensor under its Hugging Face name, rows of q and k as Hugging Face has them."""
    reader = gguf.GGUFReader(path)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    heads = {"attn_q": fields["llama.attention.head_count"], "attn_k": fields["llama.attention.head_count_kv"]}
    found = {}
    for tensor in reader.tensors:
        shape = [int(side) for side in tensor.shape[::-1]]
        weights = dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)
        name = tensor.name.removesuffix(".weight")
        part = name.split(".")[-1]
        if part in heads:
            weights = weights.reshape(heads[part], shape[0] // heads[part] // 2, 2, shape[1]).swapaxes(1, 2).reshape(shape)
        full = OUTER[name] if name in OUTER else f"model.layers.{name.split('.')[1]}.{PARTS[part]}"
        kept = np.ascontiguousarray(rounded(weights, kind))
        found[f"{full}.weight"] = hashlib.sha256(kept.tobytes()).hexdigest()
    return found


def ids(folder, texts):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    wanted = json.loads(Path(texts).read_text())
    print(json.dumps([tokenizer.encode(text, add_special_tokens=False).ids for text in wanted]))


def metadata(path):
    reader = gguf.GGUFReader(path)
    print(json.dumps({name: field.contents() for name, field in reader.fields.items()}))


def main(verb, *rest):
    if verb == "texts":
        print(json.dumps(TEXTS))
    elif verb == "tensors":
        print(json.dumps(hashes(rest[0])))
    elif verb == "metadata":
        metadata(rest[0])
    else:
        {"formats": formats, "tiny": tiny, "vocabularies": vocabularies, "pieces": pieces, "family": family, "ids": ids}[verb](Path(rest[0]), *rest[1:])


if __name__ == "__main__":
    main(*sys.argv[1:])
