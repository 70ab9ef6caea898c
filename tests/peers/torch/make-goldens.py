"""Writes tests/engine/fixtures/golden-*.json: what PyTorch and transformers say about four tiny decoders, and PEFT of LoRA.

    python -m venv .venv && .venv/bin/pip install -r tests/peers/torch/requirements.txt
    .venv/bin/python tests/peers/torch/make-goldens.py

The models are Hugging Face's own classes in float32, the gradients autograd's, the optimiser torch.optim.AdamW.
"""

import base64
import json
from pathlib import Path

import peft
import torch
import transformers

FIXTURES = Path(__file__).parents[2] / "engine" / "fixtures"
VOCABULARY, WIDTH, INNER, LAYERS, POSITIONS = 11, 8, 12, 2, 16

SHAPE = dict(
    vocab_size=VOCABULARY,
    hidden_size=WIDTH,
    intermediate_size=INNER,
    num_hidden_layers=LAYERS,
    max_position_embeddings=POSITIONS,
    rms_norm_eps=1e-5,
    rope_theta=100.0,
    attn_implementation="eager",
)

MODELS = {
    "llama": (transformers.LlamaForCausalLM, dict(num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=True)),
    "llama-gqa-untied": (
        transformers.LlamaForCausalLM,
        dict(num_attention_heads=4, num_key_value_heads=2, head_dim=4, tie_word_embeddings=False),
    ),
    "qwen2": (transformers.Qwen2ForCausalLM, dict(num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True)),
    "qwen3": (
        transformers.Qwen3ForCausalLM,
        dict(num_attention_heads=2, num_key_value_heads=1, head_dim=6, tie_word_embeddings=False),
    ),
}

LOSSES = [
    dict(kind="cross_entropy"),
    dict(kind="importance_sampling"),
    dict(kind="ppo", low=0.8, high=1.2),
    dict(kind="cispo", low=0.7, high=1.3),
    dict(kind="dro", beta=0.3),
]

ADAM = [
    dict(learningRate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8, weightDecay=0.1),
    dict(learningRate=0.01, beta1=0.8, beta2=0.95, epsilon=1e-6, weightDecay=0.0, clipNorm=0.5),
]


#: Adapters on these models; the first one's head is tied to its embedding.
LORA_MODELS = ("llama", "llama-gqa-untied")
LORA = dict(
    r=3,
    lora_alpha=32,
    target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"],
)


def packed(tensor):
    """Little-endian bytes in base64: half the size of decimal digits, and exact."""
    return base64.b64encode(tensor.detach().float().contiguous().numpy().tobytes()).decode()


def all_packed(pairs):
    return {name: packed(tensor) for name, tensor in pairs}


def hugging_face_config(model):
    """The fields of config.json that are not transformers' defaults."""
    return json.loads(model.config.to_json_string(use_diff=True)) | dict(architectures=[type(model).__name__])


def random_model(name, generator):
    model_class, options = MODELS[name]
    config = model_class.config_class(**SHAPE, **options)
    model = model_class(config).float()
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator) * 0.4
            parameter.copy_(noise if parameter.dim() > 1 else parameter + noise)
    return model


def sequences(model, generator):
    """Three sequences of unlike lengths with every stream an engine may be given."""
    data = []
    for length in (7, 4, 9):
        tokens = torch.randint(VOCABULARY, (length + 1,), generator=generator)
        with torch.no_grad():
            logprob = target_logprobs(model, tokens[:-1], tokens[1:])
        advantages = torch.randn(length, generator=generator)
        advantages[::4] = 0
        data.append(
            dict(
                input=tokens[:-1],
                targets=tokens[1:],
                weights=torch.randn(length, generator=generator),
                logprobs=logprob + 0.4 * torch.randn(length, generator=generator),
                advantages=advantages,
                soft_tokens=torch.randint(VOCABULARY, (length, 3), generator=generator),
                soft_probabilities=torch.rand(length, 3, generator=generator),
            )
        )
    return data


def all_logprobs(model, tokens):
    return torch.log_softmax(model(tokens[None]).logits[0], dim=-1)


def target_logprobs(model, tokens, targets):
    return all_logprobs(model, tokens).gather(-1, targets[:, None])[:, 0]


def token_loss(loss, logprob, datum):
    """The five losses as src/engine/engine.ts words them; their gradients are autograd's business."""
    if loss["kind"] == "cross_entropy":
        return -datum["weights"] * logprob
    ratio, advantages = torch.exp(logprob - datum["logprobs"]), datum["advantages"]
    if loss["kind"] == "importance_sampling":
        return -ratio * advantages
    if loss["kind"] == "ppo":
        return -torch.minimum(ratio * advantages, ratio.clamp(loss["low"], loss["high"]) * advantages)
    if loss["kind"] == "cispo":
        return -ratio.clamp(loss["low"], loss["high"]).detach() * advantages * logprob
    drift = logprob - datum["logprobs"]
    return torch.where(advantages == 0, 0, -(logprob * advantages - loss["beta"] / 2 * drift**2))


def measured(model, data, loss, soft=False):
    model.zero_grad()
    total, logprobs = 0, []
    for datum in data:
        if soft:
            picked = all_logprobs(model, datum["input"]).gather(-1, datum["soft_tokens"])
            logprob = (datum["soft_probabilities"] * picked).sum(-1)
        else:
            logprob = target_logprobs(model, datum["input"], datum["targets"])
        total = total + token_loss(loss, logprob, datum).sum()
        logprobs.append(logprob)
    total.backward()
    return total.item(), logprobs, {name: parameter.grad.clone() for name, parameter in trained(model)}


def trained(model):
    return [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]


def loss_case(model, data, loss, soft=False):
    value, logprobs, gradients = measured(model, data, loss, soft)
    return dict(
        loss=loss, soft=soft, value=value, logprobs=[packed(row) for row in logprobs], gradients=all_packed(gradients.items())
    )


def adam_case(model, data, adam):
    """Three steps on the same data; the decay falls on every parameter, norms and biases included."""
    parameters = [parameter for _, parameter in trained(model)]
    optimiser = torch.optim.AdamW(
        parameters,
        lr=adam["learningRate"],
        betas=(adam["beta1"], adam["beta2"]),
        eps=adam["epsilon"],
        weight_decay=adam["weightDecay"],
    )
    norms = []
    for _ in range(3):
        measured(model, data, LOSSES[0])
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, adam.get("clipNorm", float("inf"))).item())
        optimiser.step()
    return dict(adam=adam, norms=norms, weights=all_packed(trained(model)))


def datum_record(datum):
    plain = {field: datum[field].tolist() for field in ("input", "targets")}
    streams = {field: packed(datum[field]) for field in ("weights", "logprobs", "advantages")}
    soft = dict(tokens=datum["soft_tokens"].tolist(), probabilities=packed(datum["soft_probabilities"]))
    return plain | streams | dict(soft=soft)


def golden(name, seed):
    generator = torch.Generator().manual_seed(seed)
    model = random_model(name, generator)
    data = sequences(model, generator)
    return dict(
        made_by=f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
        config=hugging_face_config(model),
        weights=all_packed(model.named_parameters()),
        data=[datum_record(datum) for datum in data],
        allLogprobs=[packed(all_logprobs(model, datum["input"])) for datum in data],
        losses=[loss_case(model, data, loss) for loss in LOSSES] + [loss_case(model, data, LOSSES[0], soft=True)],
        adam=[adam_case(random_model(name, torch.Generator().manual_seed(seed)), data, adam) for adam in ADAM],
    )


def random_adapter(name, seed):
    """PEFT's LoRA on a golden model, B not zero any more; in double precision, for two products round differently."""
    generator = torch.Generator().manual_seed(seed)
    model = peft.get_peft_model(random_model(name, generator), peft.LoraConfig(**LORA))
    with torch.no_grad():
        for _, parameter in trained(model):
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model.double()


def lora_golden(name, seed):
    """On the data of the golden model: losses, gradients of the factors, optimiser steps on them alone."""
    generator = torch.Generator().manual_seed(seed)
    data = sequences(random_model(name, generator), generator)
    losses = [loss_case(random_adapter(name, seed), data, loss) for loss in (LOSSES[0], LOSSES[2])]
    record = dict(
        made_by=f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}, peft {peft.__version__}",
        model=name,
        rank=LORA["r"],
        adapter=all_packed(trained(random_adapter(name, seed))),
        losses=losses,
        adam=[adam_case(random_adapter(name, seed), data, adam) for adam in ADAM],
    )
    return json.loads(json.dumps(record).replace(".default.weight", ".weight"))


torch.set_num_threads(1)
FIXTURES.mkdir(parents=True, exist_ok=True)
for seed, name in enumerate(MODELS):
    records = {f"golden-{name}.json": golden(name, seed)}
    if name in LORA_MODELS:
        records[f"golden-lora-{name}.json"] = lora_golden(name, seed)
    for file, record in records.items():
        path = FIXTURES / file
        path.write_text(json.dumps(record, indent=1) + "\n")
        print(path.relative_to(Path.cwd()), path.stat().st_size, "bytes")
