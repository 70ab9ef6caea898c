"""transformers (eager) and PEFT as a subject of the benchmark at the size of a real model; random weights of its shape.

One JSON task a line in, one JSON result a line out, with the process's peak memory.
"""

import resource
import time

import torch
from peft import LoraConfig, get_peft_model
from protocol import serve
from transformers import AutoConfig, AutoModelForCausalLM


def train(model, optimiser, task):
    vocabulary = model.config.vocab_size
    tokens = torch.randint(vocabulary, (task["steps"], task["batch"], task["time"]))

    def work():
        for batch in tokens:
            for part in batch.split(task["microBatch"]):
                (model(input_ids=part, labels=part).loss * len(part) / len(batch)).backward()
            torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    return work, task["steps"] * task["batch"] * task["time"]


def sample(model, task):
    prompt = torch.randint(model.config.vocab_size, (task["batch"], task["prompt"]))
    how = dict(max_new_tokens=task["tokens"], min_new_tokens=task["tokens"], do_sample=True, pad_token_id=0, top_k=0)

    @torch.inference_mode()
    def work():
        model.generate(prompt, attention_mask=torch.ones_like(prompt), **how)

    return work, task["batch"] * task["tokens"]


def logprobs(model, task):
    tokens = torch.randint(model.config.vocab_size, (task["batch"], task["time"]))

    @torch.inference_mode()
    def work():
        for part in tokens.split(task["microBatch"]):
            logits = model(input_ids=part).logits[:, :-1]
            torch.log_softmax(logits, dim=-1).gather(2, part[:, 1:, None])

    return work, task["batch"] * task["time"]


def open_subject(setup):
    torch.manual_seed(1)
    torch.set_num_threads(setup["threads"])
    config = AutoConfig.for_model("llama", **setup["model"]["huggingFace"])
    subject = dict(kind=None)

    def model_for(kind):
        if subject["kind"] != kind:
            model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
            if kind == "lora":
                modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
                model = get_peft_model(model, LoraConfig(r=32, lora_alpha=32, target_modules=modules))
            trained = [p for p in model.parameters() if p.requires_grad]
            subject.update(kind=kind, model=model, optimiser=torch.optim.AdamW(trained, lr=1e-4))
        return subject["model"], subject["optimiser"]

    def run(task):
        kind = task["kind"]
        model, optimiser = model_for(kind if kind in ("lora", "train") else "frozen")
        if kind in ("lora", "train"):
            work, amount = train(model, optimiser, task)
        else:
            work, amount = (sample if kind == "sample" else logprobs)(model, task)
        started, cpu = time.perf_counter(), time.process_time()
        work()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return dict(amount=amount, seconds=seconds, cpuSeconds=cpu_seconds, peakBytes=peak)

    return run, f"transformers and PEFT on PyTorch {torch.__version__}"


serve(open_subject)
