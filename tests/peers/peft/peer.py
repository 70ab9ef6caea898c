"""Carries out the jobs of a JSON file with PEFT and prints what came out, as JSON."""

import json
import sys
import warnings

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM


def logprobs(model, sequences):
    """`[sequence][position][token]`, computed in float32."""
    with torch.no_grad():
        logits = [model(torch.tensor([tokens])).logits[0] for tokens in sequences]
    return [torch.log_softmax(one.double(), -1).tolist() for one in logits]


def base_model(base):
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)


def score(base, folder, sequences):
    """The adapter of a folder on a base model."""
    return logprobs(PeftModel.from_pretrained(base_model(base), folder), sequences)


def make(base, folder, options, dtype, sequences):
    """A random adapter in which every factor matters, written as PEFT writes it."""
    torch.manual_seed(1)
    model = get_peft_model(base_model(base), LoraConfig(task_type="CAUSAL_LM", **options))
    factors = [parameter for name, parameter in model.named_parameters() if "lora_" in name]
    for factor in factors:
        factor.data = (0.1 * torch.randn(factor.shape)).to(getattr(torch, dtype)).float()
    found = logprobs(model, sequences)
    for factor in factors:
        factor.data = factor.data.to(getattr(torch, dtype))
    model.save_pretrained(folder)
    return found


warnings.filterwarnings("ignore")
transformers.utils.logging.disable_progress_bar()

JOBS = {job.__name__: job for job in (score, make)}

with open(sys.argv[1], encoding="utf-8") as file:
    jobs = json.load(file)
print(json.dumps([JOBS[job.pop("job")](**job) for job in jobs]))
