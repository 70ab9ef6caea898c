"""Log-probabilities that transformers, with PEFT, computes of TEXT by each model folder: python score_folders.py JOB.json ANSWERS.json"""

import json
import sys

import torch
import transformers


def score(folder, text):
    model, info = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    left = {what: sorted(keys) for what, keys in info.items() if keys}
    with torch.no_grad():
        logits = model(torch.tensor([text])).logits[0].double()
    return dict(left=left, logprobs=torch.log_softmax(logits, dim=-1).tolist())


transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)
with open(sys.argv[1], encoding="utf-8") as file:
    job = json.load(file)
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump([score(folder, job["text"]) for folder in job["folders"]], file)
