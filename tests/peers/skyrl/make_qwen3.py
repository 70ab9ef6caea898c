"""Writes a tiny random Qwen3 as transformers has it, with another model's tokenizer: make_qwen3.py FOLDER TOKENIZER_FOLDER."""

import shutil
import sys

import numpy
from safetensors.numpy import save_file
from transformers import Qwen3Config

folder, tokenizer = sys.argv[1:]

HIDDEN, INNER, HEADS, KEY_VALUE_HEADS, HEAD = 64, 128, 4, 2, 16
config = Qwen3Config(
    architectures=["Qwen3ForCausalLM"],
    dtype="float32",
    vocab_size=64,
    hidden_size=HIDDEN,
    intermediate_size=INNER,
    num_hidden_layers=2,
    num_attention_heads=HEADS,
    num_key_value_heads=KEY_VALUE_HEADS,
    head_dim=HEAD,
    max_position_embeddings=256,
    tie_word_embeddings=False,
    eos_token_id=5,
    pad_token_id=0,
)
draws = numpy.random.default_rng(1)


def matrix(*shape):
    return draws.normal(0, 0.1, shape).astype("float32")


def norm(size):
    return (1 + draws.normal(0, 0.3, size)).astype("float32")


LAYER = {
    "input_layernorm": lambda: norm(HIDDEN),
    "post_attention_layernorm": lambda: norm(HIDDEN),
    "self_attn.q_norm": lambda: norm(HEAD),
    "self_attn.k_norm": lambda: norm(HEAD),
    "self_attn.q_proj": lambda: matrix(HEADS * HEAD, HIDDEN),
    "self_attn.k_proj": lambda: matrix(KEY_VALUE_HEADS * HEAD, HIDDEN),
    "self_attn.v_proj": lambda: matrix(KEY_VALUE_HEADS * HEAD, HIDDEN),
    "self_attn.o_proj": lambda: matrix(HIDDEN, HEADS * HEAD),
    "mlp.gate_proj": lambda: matrix(INNER, HIDDEN),
    "mlp.up_proj": lambda: matrix(INNER, HIDDEN),
    "mlp.down_proj": lambda: matrix(HIDDEN, INNER),
}
weights = {"model.embed_tokens.weight": matrix(config.vocab_size, HIDDEN), "model.norm.weight": norm(HIDDEN)}
weights["lm_head.weight"] = matrix(config.vocab_size, HIDDEN)
for layer in range(config.num_hidden_layers):
    weights |= {f"model.layers.{layer}.{name}.weight": make() for name, make in LAYER.items()}

config.save_pretrained(folder)
save_file(weights, f"{folder}/model.safetensors", {"format": "pt"})
for name in ("tokenizer.json", "tokenizer_config.json"):
    shutil.copy(f"{tokenizer}/{name}", folder)
