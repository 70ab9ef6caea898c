"""Carries out the jobs of a JSON file with transformers and prints what came out, as JSON."""

import json
import sys

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def make(folder, config, dtype, shard, seed):
    """A random model in which every parameter matters, written as transformers writes it."""
    torch.manual_seed(seed)
    model_type = config.pop("model_type")
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **config))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size=shard)


def score(folder, sequences):
    """Log-probabilities `[sequence][position][token]`, computed in float32; no key may be missing or left over."""
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    left = {what: sorted(keys) for what, keys in info.items() if keys}
    with torch.no_grad():
        logits = [model(torch.tensor([tokens])).logits[0] for tokens in sequences]
    return {"left": left, "logprobs": [torch.log_softmax(one.double(), -1).tolist() for one in logits]}


def make_tokenizer(folder, texts):
    """A small byte-level BPE with a ChatML template, as Qwen and SmolLM have it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = CHATML
    fast.save_pretrained(folder)


def tokenize(folder, texts, chats):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    how = {"tokenize": True, "return_dict": False}
    return {
        "ids": ids,
        "decoded": [tokenizer.decode(one, clean_up_tokenization_spaces=False) for one in ids],
        "prompts": [tokenizer.apply_chat_template(chat, add_generation_prompt=True, **how) for chat in chats],
        "closed": [tokenizer.apply_chat_template(chat, **how) for chat in chats],
        "open": [tokenizer.apply_chat_template(chat, continue_final_message=True, **how) for chat in chats],
    }


def refuses(folder, text):
    try:
        AutoTokenizer.from_pretrained(folder)(text)
        return False
    except Exception:
        return True


transformers.utils.logging.disable_progress_bar()

JOBS = {job.__name__: job for job in (make, score, make_tokenizer, tokenize, refuses)}

with open(sys.argv[1], encoding="utf-8") as file:
    jobs = json.load(file)
print(json.dumps([JOBS[job.pop("job")](**job) for job in jobs]))
