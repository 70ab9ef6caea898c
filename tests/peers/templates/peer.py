"""Carries out jobs with transformers and tokenizers: JSON lines in, JSON lines out, an error as {"error": sentence}."""

import json
import sys

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast
from transformers.utils.chat_template_utils import render_jinja_template

MODES = {
    "closed": {},
    "prompt": {"add_generation_prompt": True},
    "open": {"continue_final_message": True},
}

open_folder = (None, None)


def template(source, tokens, chat, mode):
    return render_jinja_template([chat], chat_template=source, **{"add_generation_prompt": False, **MODES[mode]}, **tokens)[0][0]


def opened(folder):
    """The tokenizer of a folder: jobs of one folder come one after another."""
    global open_folder
    if open_folder[0] != folder:
        open_folder = (folder, PreTrainedTokenizerFast.from_pretrained(folder))
    return open_folder[1]


def chat(folder, chat, mode):
    return opened(folder).apply_chat_template(chat, tokenize=True, return_dict=False, **MODES[mode])


def spelled(**job):
    return decoded(job["folder"], chat(**job))


def ids(folder, text):
    return opened(folder)._tokenizer.encode(text, add_special_tokens=False).ids


def decoded(folder, ids):
    return opened(folder)._tokenizer.decode(ids, skip_special_tokens=False)


def part(**fields):
    empty = {name: None for name in ["truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"]}
    model = {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}
    return Tokenizer.from_str(json.dumps({"version": "1.0", "added_tokens": [], **empty, "model": model, **fields}))


def cut(pre_tokenizer, text):
    return [piece for piece, _ in part(pre_tokenizer=pre_tokenizer).pre_tokenizer.pre_tokenize_str(text)]


def normalized(normalizer, text):
    return part(normalizer=normalizer).normalizer.normalize_str(text)


def whole(tokenizer, text):
    one = Tokenizer.from_str(json.dumps(tokenizer))
    ids = one.encode(text, add_special_tokens=False).ids
    return {"ids": ids, "decoded": one.decode(ids, skip_special_tokens=False)}


def decoded_by(tokenizer, ids):
    return Tokenizer.from_str(json.dumps(tokenizer)).decode(ids, skip_special_tokens=False)


JOBS = [template, chat, spelled, ids, decoded, cut, normalized, whole, decoded_by]


def run(job):
    name = job.pop("do")
    try:
        return {"value": next(one for one in JOBS if one.__name__ == name)(**job)}
    except BaseException as error:  # tokenizers panics, too
        return {"error": f"{type(error).__name__}: {str(error)[:200]}"}


with open(sys.argv[1], encoding="utf-8") as jobs, open(sys.argv[2], "w", encoding="utf-8") as answers:
    for line in jobs:
        answers.write(json.dumps(run(json.loads(line))) + "\n")
