"""Log-probabilities of texts by transformers itself, whose server gives none. Reads a folder's name and JSON texts."""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = sys.argv[1]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(folder)


@torch.no_grad()
def logprobs(text: str) -> list[float]:
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
    rows = model(ids).logits[0, :-1].log_softmax(-1)
    return rows.gather(1, ids[0, 1:, None])[:, 0].tolist()


print(json.dumps([logprobs(text) for text in json.load(sys.stdin)]))
