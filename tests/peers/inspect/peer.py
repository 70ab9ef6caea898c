"""What Inspect itself makes of a log, and a log that it makes: asked by inspect.peer.ts."""

import json
import sys
import types

# Inspect counts tokens with a vocabulary that tiktoken downloads; words will do, and need no network.
words = types.SimpleNamespace(encode=lambda text, **_: text.split())
tiktoken = types.ModuleType("tiktoken")
tiktoken.get_encoding = tiktoken.encoding_for_model = lambda _: words
sys.modules["tiktoken"] = tiktoken

from inspect_ai import Task, eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.analysis import events_df, messages_df, samples_df
from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries, read_eval_log_samples
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, solver, user_message


def read(path):
    log = read_eval_log(path)
    return {
        "status": log.status,
        "task": log.eval.task,
        "model": log.eval.model,
        "epochs": log.eval.config.epochs,
        "scores": {score.name: {m.name: m.value for m in score.metrics.values()} for score in log.results.scores},
        "summaries": [[s.id, s.epoch, s.message_count] for s in read_eval_log_sample_summaries(path)],
        "frames": {
            "samples": len(samples_df(path)),
            "messages": [len(messages_df(path)), int(messages_df(path)["message_id"].nunique())],
            "events": [len(events_df(path)), int(events_df(path)["event_id"].nunique())],
        },
        "streamed": sum(1 for _ in read_eval_log_samples(path)),
        "samples": [
            {
                "id": sample.id,
                "epoch": sample.epoch,
                "turns": [[m.role, m.text, m.source, (m.metadata or {}).get("origin")] for m in sample.messages],
                "scores": {name: [s.value, s.explanation] for name, s in sample.scores.items()},
                "logprobs": [
                    [t.token, t.logprob] for c in sample.output.choices if c.logprobs for t in c.logprobs.content
                ],
            }
            for sample in log.samples
        ],
    }


def make(folder):
    """Two problems, two trials; asked again, the model flips once and loops once."""
    says = ["ANSWER: 9", "ANSWER: 8", "ANSWER: 8", "Let me check that again. " * 8] * 2
    outputs = [ModelOutput.from_content("mockllm/model", text) for text in says]
    task = Task(
        dataset=[Sample(id=f"p{i}", input="4 + 4?", target="8") for i in (1, 2)],
        solver=[generate(), user_message("Are you sure?"), generate()],
        scorer=includes(),
        epochs=2,
        name="sums",
    )
    model = get_model("mockllm/model", custom_outputs=outputs)
    log = run_eval(task, model=model, log_dir=folder, display="none", max_samples=1, max_connections=1)[0]
    return log.location


if __name__ == "__main__":
    action, path = sys.argv[1:]
    print("\n" + json.dumps({"read": read, "make": make}[action](path)))
