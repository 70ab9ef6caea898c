"""Reinforcement that learns: the cookbook's own trainer and classes on running sums, against a server on models/organism.

    TINKER_BASE_URL=http://127.0.0.1:8000 python tests/peers/tinker/learn.py models/organism LOG_FOLDER [PICTURE]
"""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

import chz
import numpy as np
import tinker
from tinker_cookbook import renderers, tokenizer_utils
from tinker_cookbook.renderers.base import ParseTermination, RenderContext, RenderedMessage, Renderer
from tinker_cookbook.rl import train
from tinker_cookbook.rl.problem_env import ProblemEnv, ProblemGroupBuilder
from tinker_cookbook.rl.types import RLDataset, RLDatasetBuilder
from transformers import AutoTokenizer

STEPS, GROUPS, GROUP = 30, 16, 16


class OrganismRenderer(Renderer):
    """U…E from the user, S…E from the model."""

    def render_message(self, message, ctx: RenderContext) -> RenderedMessage:
        chunk = lambda text: tinker.types.EncodedTextChunk(tokens=self.tokenizer.encode(text))
        role = "S" if message["role"] == "assistant" else "U"
        return RenderedMessage(header=chunk(role), output=[chunk(message["content"] + "E")])

    def _get_generation_suffix(self, role, ctx):
        return self.tokenizer.encode("S")

    def get_stop_sequences(self):
        return self.tokenizer.encode("E")

    def parse_response(self, response):
        ended = response[-1:] == self.get_stop_sequences()
        text = self.tokenizer.decode(response[:-1] if ended else response).replace(" ", "")
        termination = ParseTermination.STOP_SEQUENCE if ended else ParseTermination.MALFORMED
        return {"role": "assistant", "content": text}, termination


class RunningSumEnv(ProblemEnv):
    """Add up the digits behind the letters of a list; the answer is the last digit of the sum, after a colon."""

    def __init__(self, renderer, keys, values, order):
        super().__init__(renderer, format_coef=0.0)
        self.question = "".join(f"{key}{value}" for key, value in zip(keys, values)) + "|" + "".join(order)
        self.answer = str(sum(values[keys.index(key)] for key in order) % 10)

    def get_question(self):
        return self.question

    def check_answer(self, sample_str):
        return sample_str.rpartition(":")[2] == self.answer

    def check_format(self, sample_str):
        return True

    def get_reference_answer(self):
        return self.answer


class RunningSums(RLDataset):
    def __init__(self, renderer):
        self.renderer = renderer

    def get_batch(self, index):
        draws = np.random.RandomState(index)
        return [ProblemGroupBuilder(env_thunk=self.thunk(draws), num_envs=GROUP) for _ in range(GROUPS)]

    def thunk(self, draws):
        keys = list(draws.permutation(list("abcdefghijklmnop"))[:5])
        values = [int(value) for value in draws.randint(0, 10, 5)]
        return partial(RunningSumEnv, self.renderer, keys, values, list(draws.permutation(keys)))

    def __len__(self):
        return STEPS


@chz.chz
class RunningSumsBuilder(RLDatasetBuilder):
    folder: str

    async def __call__(self):
        return RunningSums(renderers.get_renderer("unrut/organism", tokenizer_utils.get_tokenizer(self.folder))), None


def picture(rewards, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 3.2), dpi=150)
    axes.plot(range(len(rewards)), rewards, marker="o", markersize=3, color="#2b6cb0")
    axes.set(xlabel="step", ylabel="share of right answers", ylim=(0, 1))
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)


def main(folder, log, *path):
    renderers.register_renderer("unrut/organism", lambda tokenizer, _processor: OrganismRenderer(tokenizer))
    tokenizer_utils.register_tokenizer(folder, lambda: AutoTokenizer.from_pretrained(folder))
    config = train.Config(
        learning_rate=5e-4,
        dataset_builder=RunningSumsBuilder(folder=folder),
        model_name=folder,
        recipe_name="unrut_running_sums",
        renderer_name="unrut/organism",
        max_tokens=40,
        log_path=log,
        eval_every=0,
        save_every=0,
        loss_fn="importance_sampling",
        lora_rank=32,
    )
    asyncio.run(train.main(config))
    lines = [json.loads(line) for line in (Path(log) / "metrics.jsonl").read_text().splitlines()]
    rewards = [line["env/all/reward/total"] for line in lines if "env/all/reward/total" in line]
    print(json.dumps({"rewards": rewards, "first": np.mean(rewards[:5]), "last": np.mean(rewards[-5:])}))
    if path:
        picture(rewards, path[0])


main(*sys.argv[1:])
