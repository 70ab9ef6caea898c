"""PyTorch's word on what the SDK saw: the same adapter, added to the base by hand.

    python reference.py MODEL_FOLDER ADAPTER_FOLDER SAW.json
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

folder, adapter, saw = sys.argv[1], Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())
config = json.loads((adapter / "adapter_config.json").read_text())
base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
adapted = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
if "lm_head" in config["target_modules"]:
    adapted.lm_head.weight = torch.nn.Parameter(adapted.lm_head.weight.detach().clone())
factors = load_file(adapter / "adapter_model.safetensors")
weights = dict(adapted.named_parameters())
for name in factors:
    if ".lora_A." not in name:
        continue
    matrix = weights[name.removeprefix("base_model.model.").replace(".lora_A.weight", ".weight")]
    product = factors[name.replace("lora_A", "lora_B")] @ factors[name]
    matrix.data += config["lora_alpha"] / config["r"] * product


@torch.no_grad()
def logits(model, tokens):
    return model(torch.tensor([tokens])).logits[0]


def given(model, tokens, temperature=1.0):
    """Of every token but the first."""
    scores = torch.log_softmax(logits(model, tokens)[:-1] / temperature, -1)
    return scores.gather(-1, torch.tensor(tokens[1:])[:, None])[:, 0]


text = saw["text"]
p, q, a = given(adapted, text), torch.tensor(saw["q"]), torch.tensor(saw["advantages"])
ratio = torch.exp(p - q)
losses = {
    "importance_sampling": -(ratio * a).sum(),
    "ppo": -torch.minimum(ratio * a, ratio.clamp(0.95, 1.05) * a).sum(),
    "cispo": -(ratio.clamp(0.0, 4.0) * a * p).sum(),
    "dro": -((p * a - 0.1 * (p - q) ** 2) * (a != 0)).sum(),
}
soft_logits = torch.log_softmax(logits(adapted, text[:3]), -1)
soft = -(soft_logits[0, 6] + 0.75 * soft_logits[1, 7] + 0.25 * soft_logits[1, 30] + 0.5 * soft_logits[2, 8])
prompt = text[:4]
samples = [given(adapted, prompt + each["tokens"], 0.7)[3:].tolist() for each in saw["samples"]]
top = torch.log_softmax(logits(adapted, prompt)[:-1], -1).topk(3)
print(json.dumps({
    "trained": p.tolist(),
    "base": given(base, text).tolist(),
    "losses": {name: float(value) for name, value in losses.items()},
    "soft": float(soft),
    "samples": samples,
    "topk": [list(map(list, zip(i, v))) for i, v in zip(top.indices.tolist(), top.values.tolist())],
}))
