"""TRL's GRPOTrainer as a subject of the benchmark: one optimiser step per task.

The trainer owns its loop, so a thread runs it and a callback holds it at the beginning of every step until a task
comes. A step is all of it: generation, rewards, loss, backward and AdamW.
"""

import queue
import threading
import time

import torch
import transformers
import trl
from datasets import Dataset
from protocol import serve
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, TrainerCallback


def word_tokenizer(vocabulary, stop):
    """Token n is the word `n`; the last is the end, and pads."""
    words = Tokenizer(models.WordLevel({str(word): word for word in range(vocabulary)}, unk_token="0"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token=str(stop), pad_token=str(stop), padding_side="left")


def llama(shape, stop):
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape["vocabSize"],
            hidden_size=shape["hiddenSize"],
            intermediate_size=shape["intermediateSize"],
            num_hidden_layers=shape["layers"],
            num_attention_heads=shape["heads"],
            num_key_value_heads=shape["keyValueHeads"],
            max_position_embeddings=shape["maxPositions"],
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=stop,
            pad_token_id=stop,
        )
    )


class Gate(TrainerCallback):
    """Lets one step through per task and says what it cost."""

    def __init__(self):
        self.tasks, self.results = queue.Queue(), queue.Queue()

    def on_step_begin(self, *_, **__):
        self.tasks.get()
        self.started, self.cpu = time.perf_counter(), time.process_time()

    def on_step_end(self, *_, **__):
        self.results.put(dict(amount=1, seconds=time.perf_counter() - self.started, cpuSeconds=time.process_time() - self.cpu))


def open_subject(setup):
    torch.manual_seed(1)
    torch.set_num_threads(setup["threads"])
    transformers.logging.set_verbosity_error()
    grpo, shape = setup["grpo"], setup["presets"][setup["grpo"]["preset"]]
    rows = grpo["prompts"] * grpo["samples"]
    config = trl.GRPOConfig(
        output_dir="/tmp/unrut-bench-trl",
        use_cpu=True,
        bf16=False,
        per_device_train_batch_size=rows // grpo["trlMicroBatches"],
        gradient_accumulation_steps=grpo["trlMicroBatches"],
        steps_per_generation=grpo["trlMicroBatches"],
        num_generations=grpo["samples"],
        max_completion_length=grpo["tokens"],
        beta=0.0,
        temperature=1.0,
        learning_rate=1e-3,
        max_steps=100_000,
        gradient_checkpointing=False,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        optim="adamw_torch_fused",
    )
    words = torch.randint(shape["vocabSize"] - 1, (512, grpo["prompt"])).tolist()
    gate = Gate()
    trainer = trl.GRPOTrainer(
        model=llama(shape, grpo["stop"]),
        processing_class=word_tokenizer(shape["vocabSize"], grpo["stop"]),
        args=config,
        train_dataset=Dataset.from_list([{"prompt": " ".join(map(str, prompt))} for prompt in words]),
        reward_funcs=lambda completion_ids, **_: [float(ids[0] < grpo["goodBelow"]) for ids in completion_ids],
        callbacks=[gate],
    )
    threading.Thread(target=trainer.train, daemon=True).start()

    def run(task):
        gate.tasks.put(task)
        return gate.results.get()

    return run, f"TRL {trl.__version__}"


serve(open_subject)
