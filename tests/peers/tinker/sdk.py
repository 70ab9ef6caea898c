"""Drives a server with the official SDK, of whichever version is installed, and prints what it saw as one JSON object.

    TINKER_BASE_URL=http://127.0.0.1:8000 TINKER_API_KEY=tml-x python sdk.py BASE_MODEL OUT_FOLDER
"""

import json
import os
import sys
import tarfile
import urllib.request
from pathlib import Path

import numpy as np
import tinker
from tinker import types

base, out = sys.argv[1], Path(sys.argv[2])
version = tuple(int(part) for part in tinker.__version__.split(".")[:2])
saw = {"version": tinker.__version__}
TEXT = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]


def datum(tokens, **streams):
    """Asks for the next token everywhere."""
    length = len(tokens) - 1
    inputs = {"target_tokens": types.TensorData(data=tokens[1:], dtype="int64", shape=[length])}
    for name, values in streams.items():
        inputs[name] = types.TensorData(data=[float(value) for value in values], dtype="float32", shape=[length])
    return types.Datum(model_input=types.ModelInput.from_ints(tokens[:-1]), loss_fn_inputs=inputs)


def plain(tokens, weight=1.0):
    return datum(tokens, weights=[weight] * (len(tokens) - 1))


def logprobs(result, at=0):
    return [float(value) for value in result.loss_fn_outputs[at]["logprobs"].data]


def loss(result):
    return result.metrics["loss:sum"]


def refusal(call):
    try:
        call()
    except Exception as error:  # whatever kind: it is what is to be seen
        return f"{type(error).__name__}: {error}"
    return None


def ready(made):
    """SDK 0.38 makes clients as futures."""
    return made.result() if hasattr(made, "result") else made


def at_each(values):
    return [None if each is None else float(each) for each in values]


service = tinker.ServiceClient()
capabilities = service.get_server_capabilities()
saw["models"] = [model.model_name for model in capabilities.supported_models]
training = ready(
    service.create_lora_training_client(base_model=base, rank=8, seed=3, user_metadata={"renderer_name": "plain"})
)
info = training.get_info()
saw["info"] = {"lora_rank": info.lora_rank, "is_lora": info.is_lora, "model_name": info.model_data.model_name}
saw["tokenizer"] = training.get_tokenizer().decode([6, 7])

# losses are sums
one, two = plain(TEXT), plain(TEXT[3:])
saw["sums"] = {
    "one": loss(training.forward([one], "cross_entropy").result()),
    "other": loss(training.forward([two], "cross_entropy").result()),
    "both": loss(training.forward([one, two], "cross_entropy").result()),
    "twice": loss(training.forward([plain(TEXT, 2.0)], "cross_entropy").result()),
    "negative": loss(training.forward([plain(TEXT, -1.0)], "cross_entropy").result()),
}

# three steps; the step is submitted before the gradient is awaited
adam = types.AdamParams(learning_rate=1e-2, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.01, grad_clip_norm=1.0)
saw["steps"] = []
for _ in range(3):
    gradient = training.forward_backward([one, two], "cross_entropy")
    step = training.optim_step(adam)
    saw["steps"].append(loss(gradient.result()))
    saw["optim_metrics"] = sorted(step.result().metrics)
trained = training.forward([one], "cross_entropy").result()
saw["text"], saw["trained"] = TEXT, logprobs(trained)

# losses of samples, with logprobs that differ from the policy's
q = [value - 0.1 * (at % 3 - 1) for at, value in enumerate(saw["trained"])]
advantages = [(-1.0) ** at * (at % 4) for at in range(len(q))]
saw["q"], saw["advantages"] = q, advantages
sampled = datum(TEXT, logprobs=q, advantages=advantages)
configs = {"importance_sampling": None, "ppo": {"clip_low_threshold": 0.95, "clip_high_threshold": 1.05}, "cispo": None, "dro": {"beta": 0.2}}
saw["losses"] = {}
for name, config in configs.items():
    arguments = {} if config is None else {"loss_fn_config": config}
    saw["losses"][name] = loss(training.forward([sampled], name, **arguments).result())

# soft targets, of which the SDK makes sparse rows where those are smaller
soft = types.Datum(
    model_input=types.ModelInput.from_ints(TEXT[:3]),
    loss_fn_inputs={
        "target_tokens": types.TensorData(data=np.asarray([6, 0, 7, 30, 8, 0]), dtype="int64", shape=[3, 2]),
        "weights": types.TensorData(data=np.asarray([1.0, 0.0, 0.75, 0.25, 0.5, 0.0], np.float32), dtype="float32", shape=[3, 2]),
    },
)
sparse = types.Datum(
    model_input=types.ModelInput.from_ints(TEXT[:3]),
    loss_fn_inputs={
        "target_tokens": types.TensorData(data=np.asarray([6, 7, 30, 8]), dtype="int64", shape=[3, 2], sparse_crow_indices=[0, 1, 3, 4], sparse_col_indices=[0, 0, 1, 0]),
        "weights": types.TensorData(data=np.asarray([1.0, 0.75, 0.25, 0.5], np.float32), dtype="float32", shape=[3, 2], sparse_crow_indices=[0, 1, 3, 4], sparse_col_indices=[0, 0, 1, 0]),
    },
)
saw["soft"] = [loss(training.forward([each], "cross_entropy").result()) for each in (soft, sparse)]

# a batch of several chunks: the SDK sends the first one last
many = [plain([5, 6 + at % 20, 7]) for at in range(1100)]
result = training.forward(many, "cross_entropy").result()
saw["chunks"] = {"outputs": len(result.loss_fn_outputs), "loss": loss(result), "alone": sum(
    loss(training.forward([plain([5, 6 + at, 7])], "cross_entropy").result()) * 55 for at in range(20)
)}

# what is refused, and that the model goes on
saw["refused"] = {
    "loss": refusal(lambda: training.forward_backward([one], "dppo" if version < (0, 38) else "stable_reinforce").result()),
    "optim_after": refusal(lambda: training.optim_step(adam).result()),
    "token": refusal(lambda: training.forward([plain([5, 6, 4000])], "cross_entropy").result()),
    "option": refusal(lambda: training.forward([sampled], "ppo", loss_fn_config={"clip": 1.0}).result()),
}
saw["refused"]["unharmed"] = logprobs(training.forward([one], "cross_entropy").result()) == saw["trained"]

# samplers: named, ephemeral, base
state = training.save_state("step-3").result()
named = training.save_weights_for_sampler("named").result()
saw["paths"] = [state.path, named.path]
sampler = ready(training.create_sampling_client(named.path))
prompt = types.ModelInput.from_ints(TEXT[:4])
how = types.SamplingParams(max_tokens=12, temperature=0.7, seed=11)
response = sampler.sample(prompt, 3, how, include_prompt_logprobs=True, topk_prompt_logprobs=3).result()
saw["samples"] = [
    {"tokens": list(map(int, each.tokens)), "logprobs": list(map(float, each.logprobs)), "stop_reason": each.stop_reason}
    for each in response.sequences
]
saw["prompt_logprobs"] = at_each(response.prompt_logprobs)
saw["topk"] = [None if each is None else [[int(token), float(value)] for token, value in each] for each in response.topk_prompt_logprobs]
saw["compute_logprobs"] = at_each(sampler.compute_logprobs(types.ModelInput.from_ints(TEXT)).result())
again = sampler.sample(prompt, 3, how).result()
saw["seeded"] = [list(map(int, each.tokens)) for each in again.sequences] == [each["tokens"] for each in saw["samples"]]
first = saw["samples"][0]["tokens"]
stops = {"id": [first[3]], "text": training.get_tokenizer().decode([first[3]])}
saw["stops"] = {}
for name, stop in stops.items():
    stopped = sampler.sample(prompt, 1, types.SamplingParams(max_tokens=12, temperature=0.7, seed=11, stop=stop)).result().sequences[0]
    saw["stops"][name] = [list(map(int, stopped.tokens)), stopped.stop_reason]
ephemeral = ready(training.save_weights_and_get_sampling_client())
saw["ephemeral"] = at_each(ephemeral.compute_logprobs(types.ModelInput.from_ints(TEXT)).result())
base_sampler = ready(service.create_sampling_client(base_model=base))
saw["base"] = at_each(base_sampler.compute_logprobs(types.ModelInput.from_ints(TEXT)).result())
saw["base_model"] = sampler.get_base_model()

# the end of a text stops where nothing is said of it, and not where nothing is to stop
problem = types.ModelInput.from_ints(training.get_tokenizer().encode("Ua1b2|abES"))
for name, params in {"ended": {"max_tokens": 60}, "endless": {"max_tokens": 60, "stop": []}}.items():
    said = base_sampler.sample(problem, 1, types.SamplingParams(temperature=0.0, **params)).result().sequences[0]
    saw[name] = [list(map(int, said.tokens)), said.stop_reason]

# a snapshot does not move while training goes on
training.forward_backward([one], "cross_entropy").result()
training.optim_step(adam).result()
saw["snapshot"] = at_each(ephemeral.compute_logprobs(types.ModelInput.from_ints(TEXT)).result()) == saw["ephemeral"]
after_four = logprobs(training.forward([one], "cross_entropy").result())

# states: with the optimiser the same step follows; without, its first one
resumed = ready(service.create_training_client_from_state_with_optimizer(state.path))
resumed.forward_backward([one], "cross_entropy").result()
resumed.optim_step(adam).result()
saw["resumed"] = logprobs(resumed.forward([one], "cross_entropy").result()) == after_four
fresh = ready(service.create_training_client_from_state(state.path))
saw["from_state"] = logprobs(fresh.forward([one], "cross_entropy").result()) == saw["trained"]
training.load_state(state.path).result()
saw["loaded"] = logprobs(training.forward([one], "cross_entropy").result()) == saw["trained"]
training.load_state_with_optimizer(state.path).result()
training.forward_backward([one], "cross_entropy").result()
training.optim_step(adam).result()
saw["loaded_with_optimizer"] = logprobs(training.forward([one], "cross_entropy").result()) == after_four

# a loss of one's own
try:
    import torch

    def squares(data, values):
        total = sum((each**2).sum() for each in values)
        return total, {"squares": float(total)}

    training.load_state(state.path).result()
    own = training.forward_backward_custom([one], squares).result()
    saw["custom"] = {"loss": own.metrics.get("loss:sum"), "squares": own.metrics["squares"]}
    training.optim_step(adam).result()
    saw["custom"]["after"] = logprobs(training.forward([one], "cross_entropy").result())
except ImportError:
    saw["custom"] = None

# managing what is there
rest = service.create_rest_client()
run_id = state.path.removeprefix("tinker://").split("/")[0]
run = rest.get_training_run(run_id).result()
saw["run"] = {"lora_rank": run.lora_rank, "base_model": run.base_model, "user_metadata": run.user_metadata}
saw["listed"] = run_id in [each.training_run_id for each in rest.list_training_runs().result().training_runs]
saw["checkpoints"] = sorted(each.tinker_path for each in rest.list_checkpoints(run_id).result().checkpoints)
saw["user_checkpoints"] = sorted(each.tinker_path for each in rest.list_user_checkpoints().result().checkpoints)
weights_info = rest.get_weights_info_by_tinker_path(state.path).result()
saw["weights_info"] = {"base_model": weights_info.base_model, "lora_rank": weights_info.lora_rank}
saw["by_path"] = rest.get_training_run_by_tinker_path(state.path).result().training_run_id == run_id
rest.set_checkpoint_ttl_from_tinker_path(state.path, 7200).result()
saw["expires"] = next(each.expires_at is not None for each in rest.list_checkpoints(run_id).result().checkpoints if each.tinker_path == state.path)
session_id = run_id.split(":")[0]
saw["session"] = run_id in rest.get_session(session_id).result().training_run_ids
saw["sessions"] = session_id in rest.list_sessions().result().sessions
if hasattr(rest, "get_checkpoint_archive_url_from_tinker_path"):
    url = rest.get_checkpoint_archive_url_from_tinker_path(named.path).result().url
else:
    request = urllib.request.Request(
        f"{os.environ['TINKER_BASE_URL']}/api/v1/training_runs/{run_id}/checkpoints/sampler_weights/named/archive",
        headers={"X-API-Key": os.environ["TINKER_API_KEY"]},
    )
    url = json.load(urllib.request.urlopen(request))["url"]
archive = out / "adapter.tar"
archive.write_bytes(urllib.request.urlopen(url).read())
with tarfile.open(archive) as tar:
    saw["archive"] = sorted(tar.getnames())
    tar.extractall(out / "adapter", filter="data")
rest.delete_checkpoint_from_tinker_path(named.path).result()
saw["deleted"] = named.path not in [each.tinker_path for each in rest.list_checkpoints(run_id).result().checkpoints]
if hasattr(service, "close"):
    service.close("success")
print(json.dumps(saw), flush=True)
