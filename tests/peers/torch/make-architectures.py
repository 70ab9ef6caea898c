"""Writes tests/engine/fixtures/architectures.json: log-probabilities that transformers computes of tiny random models.

    python -m venv .venv && .venv/bin/pip install -r tests/peers/torch/requirements.txt
    .venv/bin/python tests/peers/torch/make-architectures.py

Every family of src/engine/local/model/families in several variants of its config. One variant a family also has the
gradients of its loss by autograd. Weights are not stored: both sides draw them by the rule of `weights`.
"""

import base64
import json
import math
from pathlib import Path

import torch
import transformers

FIXTURE = Path(__file__).parents[2] / "engine" / "fixtures" / "architectures.json"

SHAPE = dict(
    vocab_size=23,
    hidden_size=24,
    intermediate_size=40,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=32,
    rms_norm_eps=1e-5,
    pad_token_id=None,
)

LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)
LONGROPE = dict(rope_type="longrope", short_factor=[1.0, 1.5, 2.0], long_factor=[1.0, 4.0, 9.0])


def rope(theta=100.0, **scaling):
    return dict(rope_parameters=dict(rope_type="default", rope_theta=theta) | scaling)


#: By model type: variants, the first with gradients.
VARIANTS = dict(
    llama=dict(
        llama3=rope(**LLAMA3) | dict(tie_word_embeddings=True),
        linear=rope(rope_type="linear", factor=2.5),
        dynamic=rope(rope_type="dynamic", factor=3.0),
        yarn=rope(**YARN),
        yarn_mscale=rope(**YARN, mscale=0.7, mscale_all_dim=1.3, beta_fast=8.0, beta_slow=0.5, truncate=False),
        yarn_attention_factor=rope(**YARN, attention_factor=1.7),
        biases=rope() | dict(attention_bias=True, mlp_bias=True),
        wide_heads=rope() | dict(head_dim=10, num_key_value_heads=4),
        gelu=rope() | dict(hidden_act="gelu_pytorch_tanh", num_key_value_heads=1),
    ),
    mistral=dict(
        window=rope() | dict(sliding_window=5),
        no_window=rope() | dict(sliding_window=None, head_dim=8),
        wide_window=rope(1000.0) | dict(sliding_window=4096, tie_word_embeddings=True),
    ),
    qwen2=dict(
        window_in_later_layers=rope() | dict(use_sliding_window=True, sliding_window=4, max_window_layers=1),
        plain=rope(1000000.0) | dict(tie_word_embeddings=True),
        yarn=rope(**YARN),
        layer_types=rope()
        | dict(
            use_sliding_window=True,
            sliding_window=3,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        ),
    ),
    qwen3=dict(
        biases=rope() | dict(attention_bias=True, head_dim=8),
        plain=rope(1000000.0) | dict(tie_word_embeddings=True, head_dim=16),
        yarn=rope(**YARN) | dict(head_dim=6, num_key_value_heads=1),
        window=rope() | dict(head_dim=6, use_sliding_window=True, sliding_window=4, max_window_layers=2),
    ),
    smollm3=dict(
        every_second=rope() | dict(no_rope_layer_interval=2),
        listed=rope() | dict(no_rope_layers=[0, 1, 0], tie_word_embeddings=False),
        window=rope() | dict(no_rope_layers=[1, 0, 1], use_sliding_window=True, sliding_window=4),
        biases=rope(**YARN) | dict(attention_bias=True, mlp_bias=True),
    ),
    phi3=dict(
        window=rope() | dict(sliding_window=6),
        partial=rope(partial_rotary_factor=0.5) | dict(num_key_value_heads=4, hidden_size=32),
        longrope=rope(**LONGROPE) | dict(max_position_embeddings=128, original_max_position_embeddings=32),
        longrope_factor=rope(**LONGROPE, attention_factor=1.4) | dict(original_max_position_embeddings=32),
    ),
    olmo2=dict(
        plain=rope(),
        biases=rope() | dict(attention_bias=True, num_key_value_heads=4),
        yarn=rope(**YARN) | dict(tie_word_embeddings=True, head_dim=8),
    ),
    olmo3=dict(
        windows=dict(sliding_window=4, num_hidden_layers=4, rope_theta=100.0),
        listed=dict(
            sliding_window=5,
            layer_types=["full_attention", "sliding_attention", "full_attention"],
            rope_parameters=dict(full_attention=YARN, sliding_attention=dict(rope_type="default", rope_theta=50.0)),
        ),
        scaled=dict(sliding_window=6, rope_scaling=YARN),
    ),
    gemma3_text=dict(
        windows=dict(head_dim=8, sliding_window=4, sliding_window_pattern=2, query_pre_attn_scalar=10),
        listed=dict(
            head_dim=6,
            sliding_window=3,
            layer_types=["full_attention", "sliding_attention", "full_attention"],
            rope_parameters=dict(
                full_attention=dict(rope_type="linear", factor=8.0, rope_theta=500.0),
                sliding_attention=dict(rope_type="default", rope_theta=50.0),
            ),
            num_key_value_heads=1,
        ),
        capped=dict(head_dim=6, sliding_window=16, final_logit_softcapping=2.0, tie_word_embeddings=False),
        biases=dict(head_dim=6, sliding_window=5, attention_bias=True),
    ),
)

#: Longer than every window.
TEXT = [3, 19, 7, 7, 0, 12, 22, 5, 1, 16, 9, 9, 14, 20, 2, 11, 4, 18]


def weights(length, seed):
    """Numbers that need no generator: the fraction of a sine, between -0.5 and 0.5."""
    places = torch.arange(1, length + 1, dtype=torch.float64)
    return torch.frac(torch.sin(places * (12.9898 + seed)).abs() * 43.758) - 0.5


def packed(tensor):
    return base64.b64encode(tensor.detach().float().contiguous().numpy().tobytes()).decode()


def random_model(model_type, options):
    config = transformers.AutoConfig.for_model(model_type, **(SHAPE | dict(attn_implementation="eager") | options))
    model = transformers.AutoModelForCausalLM.from_config(config).float()
    with torch.no_grad():
        for seed, (name, parameter) in enumerate(sorted(model.named_parameters())):
            noise = weights(parameter.numel(), seed).reshape(parameter.shape).float()
            gain = name.endswith("norm.weight") and model_type != "gemma3_text"
            parameter.copy_(1 + noise if gain else noise)
    return model


def golden(model_type, name, options, with_gradients):
    model = random_model(model_type, options)
    tokens = torch.tensor(TEXT)
    logprobs = torch.log_softmax(model(tokens[None]).logits[0], dim=-1)
    record = dict(
        name=f"{model_type} {name}",
        config=json.loads(model.config.to_json_string(use_diff=False)) | dict(architectures=[type(model).__name__]),
        logprobs=packed(logprobs),
    )
    if not with_gradients:
        return record
    (-logprobs[:-1].gather(-1, tokens[1:, None])).sum().backward()
    return record | dict(gradients={name: summary(parameter.grad) for name, parameter in model.named_parameters()})


def summary(gradient):
    """Its length, and its product with numbers that a wrong place or sign would change."""
    flat = gradient.flatten().double()
    return [flat.norm().item(), (flat @ weights(flat.numel(), 0.5)).item()]


torch.set_num_threads(1)
records = [
    golden(model_type, name, options, nth == 0)
    for model_type, variants in VARIANTS.items()
    for nth, (name, options) in enumerate(variants.items())
]
made_by = f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}"
FIXTURE.write_text(json.dumps(dict(made_by=made_by, text=TEXT, models=records), indent=1) + "\n")
print(FIXTURE.stat().st_size, "bytes,", len(records), "models")
