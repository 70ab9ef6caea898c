"""Makes a tiny random model of every family and change of its config.json, and says what transformers computes.

    python odd_configs.py FOLDER

writes FOLDER/N/config.json, as it was changed, FOLDER/N/model.safetensors where transformers makes a model of it, and FOLDER/models.json.
"""

import json
import sys
from pathlib import Path

import torch
import transformers

ABSENT = object()

BASE = dict(
    vocab_size=23,
    hidden_size=24,
    intermediate_size=40,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=32,
    rms_norm_eps=1e-5,
    pad_token_id=None,
    bos_token_id=None,
    eos_token_id=None,
)

FAMILIES = dict(
    llama=dict(architectures=["LlamaForCausalLM"]),
    mistral=dict(architectures=["MistralForCausalLM"], sliding_window=5),
    qwen2=dict(architectures=["Qwen2ForCausalLM"]),
    qwen3=dict(architectures=["Qwen3ForCausalLM"], head_dim=8),
    smollm3=dict(architectures=["SmolLM3ForCausalLM"]),
    phi3=dict(architectures=["Phi3ForCausalLM"]),
    olmo2=dict(architectures=["Olmo2ForCausalLM"]),
    gemma3_text=dict(architectures=["Gemma3ForCausalLM"], head_dim=6, sliding_window=4, query_pre_attn_scalar=7),
)

CHANGES = [
    dict(),
    dict(is_causal=False),
    dict(is_causal=None),
    dict(is_causal=True),
    dict(is_causal=0),
    dict(use_bidirectional_attention=True),
    dict(use_bidirectional_attention=False),
    dict(use_bidirectional_attention="all"),
    dict(attention_bias=True),
    dict(attention_bias=False),
    dict(attention_bias=None),
    dict(mlp_bias=True),
    dict(mlp_bias=False),
    dict(tie_word_embeddings=True),
    dict(tie_word_embeddings=False),
    dict(tie_word_embeddings=None),
    dict(head_dim=10),
    dict(head_dim=None),
    dict(head_dim=ABSENT),
    dict(head_dim=5),
    dict(head_dim=7),
    dict(num_key_value_heads=None),
    dict(num_key_value_heads=ABSENT),
    dict(num_key_value_heads=4),
    dict(num_key_value_heads=1),
    dict(partial_rotary_factor=0.5),
    dict(partial_rotary_factor=1.0),
    dict(rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.5)),
    dict(rope_theta=100.0),
    dict(rope_theta=100.0, rope_parameters=dict(rope_type="default", rope_theta=50.0)),
    dict(rope_scaling=dict(rope_type="linear", factor=2.0)),
    dict(rope_scaling=dict(type="linear", factor=2.0), rope_theta=100.0),
    dict(rope_parameters=dict(rope_type="default", rope_theta=100.0), rope_scaling=dict(rope_type="linear", factor=2.0)),
    dict(rope_parameters=dict(rope_type="linear", factor=2.0, rope_theta=100.0), rope_scaling=dict(rope_type="linear", factor=2.0, rope_theta=100.0)),
    dict(rope_parameters=dict(rope_type="linear", factor=2.0, rope_theta=100.0), rope_scaling=dict(rope_type="linear", factor=2.0)),
    dict(rope_parameters=dict(), rope_scaling=dict(rope_type="linear", factor=2.0)),
    dict(rope_parameters=dict(rope_type="linear", factor=2.0), rope_scaling=dict()),
    dict(rope_scaling=dict(type="dynamic", factor=2.0)),
    dict(rope_scaling=dict(type="yarn", factor=2.0)),
    dict(rope_scaling=dict(type="yarn", factor=2.0, original_max_position_embeddings=16)),
    dict(rope_scaling=dict(type="yarn", factor=None, original_max_position_embeddings=16)),
    dict(rope_scaling=dict(rope_type="yarn", factor=2.0, mscale=1.0, mscale_all_dim=0)),
    dict(rope_scaling=dict(rope_type="yarn", factor=0.5)),
    dict(rope_scaling=dict(rope_type="yarn", factor=4.0, beta_fast=0, beta_slow=0)),
    dict(rope_scaling=dict(rope_type="yarn", factor=4.0, finetuned=True)),
    dict(rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)),
    dict(rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0)),
    dict(rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=4.0, high_freq_factor=4.0, original_max_position_embeddings=16)),
    dict(rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=5.0, high_freq_factor=2.0, original_max_position_embeddings=16)),
    dict(rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16), original_max_position_embeddings=8),
    dict(rope_scaling=dict(rope_type="yarn", factor=2.0), original_max_position_embeddings=8),
    dict(rope_scaling=dict(rope_type="proportional", factor=2.0)),
    dict(rope_scaling=dict(rope_type="mrope", mrope_section=[1, 1, 1])),
    dict(rope_scaling=dict(type="mrope", rope_type="default", mrope_section=[1, 1, 1])),
    dict(rope_scaling=dict(rope_type="longrope", short_factor=[1.0, 1.5, 2.0], long_factor=[1.0, 2.0, 4.0], original_max_position_embeddings=24)),
    dict(rope_scaling=dict(type="su", short_factor=[1.0, 1.5, 2.0], long_factor=[1.0, 2.0, 4.0]), original_max_position_embeddings=24),
    dict(rope_scaling=dict(rope_type="longrope", short_factor=[1.0, 1.5, 2.0], long_factor=[1.0, 2.0, 4.0], factor=3.0), original_max_position_embeddings=24),
    dict(rope_scaling=dict(rope_type="longrope", short_factor=[1.0, 1.5, 2.0], long_factor=[1.0, 2.0, 4.0]), original_max_position_embeddings=8),
    dict(rope_scaling="linear"),
    dict(rope_scaling=None, rope_theta=None),
    dict(hidden_act="gelu"),
    dict(hidden_act="gelu_new"),
    dict(hidden_act="gelu_pytorch_tanh"),
    dict(hidden_act="gelu_fast"),
    dict(hidden_act="relu"),
    dict(hidden_act="swish"),
    dict(hidden_act="relu2"),
    dict(hidden_act="quick_gelu"),
    dict(hidden_activation="silu"),
    dict(hidden_activation="gelu"),
    dict(hidden_act="SiLU"),
    dict(sliding_window=3),
    dict(sliding_window=None),
    dict(sliding_window=ABSENT),
    dict(sliding_window=0),
    dict(sliding_window=1),
    dict(use_sliding_window=True),
    dict(use_sliding_window=True, sliding_window=3, max_window_layers=1),
    dict(use_sliding_window=True, sliding_window=3, max_window_layers=0),
    dict(use_sliding_window=False, sliding_window=3, max_window_layers=1),
    dict(use_sliding_window=True, sliding_window=None, max_window_layers=1),
    dict(layer_types=["full_attention", "full_attention", "full_attention"]),
    dict(layer_types=["sliding_attention", "sliding_attention", "sliding_attention"]),
    dict(layer_types=["sliding_attention", "full_attention", "sliding_attention"], sliding_window=3),
    dict(layer_types=["sliding_attention", "full_attention", "sliding_attention"], sliding_window=3, use_sliding_window=True),
    dict(layer_types=["full_attention", "full_attention"]),
    dict(layer_types=["full_attention", "full_attention", "full_attention", "full_attention"]),
    dict(layer_types=["chunked_attention", "chunked_attention", "chunked_attention"], attention_chunk_size=4),
    dict(attention_chunk_size=4),
    dict(attn_logit_softcapping=2.0),
    dict(final_logit_softcapping=2.0),
    dict(logit_scale=0.5),
    dict(logits_scaling=4.0),
    dict(embedding_multiplier=3.0),
    dict(residual_multiplier=0.3),
    dict(attention_multiplier=0.1),
    dict(query_pre_attn_scalar=64),
    dict(sliding_window_pattern=2),
    dict(rope_local_base_freq=77.0),
    dict(rope_theta=500.0, rope_local_base_freq=77.0),
    dict(rope_parameters=dict(full_attention=dict(rope_type="linear", factor=4.0), sliding_attention=dict(rope_type="default", rope_theta=33.0))),
    dict(rope_parameters=dict(full_attention=None, sliding_attention=dict(rope_type="yarn", factor=4.0))),
    dict(rope_parameters=dict(full_attention=dict(rope_type="default", rope_theta=200.0)), rope_scaling=dict(rope_type="linear", factor=4.0)),
    dict(rope_parameters=dict(full_attention=dict(rope_type="default", rope_theta=200.0)), rope_theta=100.0),
    dict(no_rope_layers=[1, 0, 1]),
    dict(no_rope_layers=[0, 0, 0]),
    dict(no_rope_layers=[1, 1]),
    dict(no_rope_layers=[1, 0, 1, 0, 1]),
    dict(no_rope_layer_interval=2),
    dict(no_rope_layers=[]),
    dict(no_rope_layer_interval=0),
    dict(pretraining_tp=2),
    dict(attention_dropout=0.3),
    dict(resid_pdrop=0.3),
    dict(rms_norm_eps=0.5),
    dict(rms_norm_eps=ABSENT),
    dict(num_hidden_layers=2),
    dict(pad_token_id=3),
    dict(pad_token_id=-1),
    dict(chunk_size_feed_forward=2),
    dict(is_decoder=False),
    dict(add_cross_attention=True),
    dict(is_encoder_decoder=True),
    dict(per_layer_config={"1": dict(num_key_value_heads=4)}),
    dict(quantization_config=dict(quant_method="bitsandbytes", load_in_8bit=True)),
    dict(max_position_embeddings=ABSENT),
    dict(initializer_range=1.5),
    dict(use_qk_norm=True),
    dict(clip_qkv=0.1),
    dict(unknown_thing=7),
    dict(num_experts=4),
    dict(vocab_size=31),
    dict(dtype="bfloat16"),
    dict(torch_dtype="float16"),
    dict(auto_map=dict(AutoModelForCausalLM="x.Y")),
    dict(attn_implementation="sdpa"),
    dict(_attn_implementation="eager"),
    dict(transformers_weights="other.safetensors"),
    dict(original_max_position_embeddings=16),
    dict(tie_encoder_decoder=True),
    dict(text_config=dict(hidden_size=12)),
    dict(num_attention_heads=3, head_dim=8, num_key_value_heads=3),
]

TEXT = [3, 19, 7, 7, 0, 12, 22, 5, 1, 16, 9, 9, 14, 20, 2, 11, 4, 18]


def config_of(model_type, change):
    fields = BASE | FAMILIES[model_type] | dict(model_type=model_type) | change
    return {name: value for name, value in fields.items() if value is not ABSENT}


def computed(folder, generator):
    """Log-probabilities of every token at every position, in single precision whatever the config says."""
    config = transformers.AutoConfig.from_pretrained(folder)
    config.dtype = torch.float32
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.rand(parameter.shape, generator=generator) - 0.5
            parameter.copy_(1 + noise if name.endswith("norm.weight") else noise)
        logits = model(torch.tensor([TEXT])).logits[0].double()
    model.save_pretrained(folder)
    return torch.log_softmax(logits, dim=-1).tolist()


def record(folder, model_type, change, generator):
    folder.mkdir()
    written = json.dumps(config_of(model_type, change))
    (folder / "config.json").write_text(written)
    shown = {name: "absent" if value is ABSENT else value for name, value in change.items()}
    answer = dict(folder=str(folder), name=f"{model_type} {json.dumps(shown)}")
    try:
        return answer | dict(logprobs=computed(folder, generator))
    except Exception as error:  # whatever transformers refuses, and however
        return answer | dict(error=f"{type(error).__name__}: {error}"[:200])
    finally:
        (folder / "config.json").write_text(written)


transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)
root = Path(sys.argv[1])
root.mkdir(parents=True, exist_ok=True)
generator = torch.Generator().manual_seed(1)
cases = [(model_type, change) for model_type in FAMILIES for change in CHANGES]
models = [record(root / str(nth), *case, generator) for nth, case in enumerate(cases)]
(root / "models.json").write_text(json.dumps(dict(text=TEXT, models=models)))
