"""The public calls of the official SDK that sdk.py does not make, and what is refused; prints what it saw as one JSON object.

    TINKER_BASE_URL=http://127.0.0.1:8000 TINKER_API_KEY=tml-x python calls.py BASE_MODEL
"""

import datetime
import json
import pickle
import sys

import tinker
from tinker import types

base = sys.argv[1]
new = tuple(int(part) for part in tinker.__version__.split(".")[:2]) >= (0, 38)
saw = {}
TEXT = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
prompt = types.ModelInput.from_ints(TEXT)


def ready(made):
    """SDK 0.38 makes clients as futures."""
    return made.result() if hasattr(made, "result") else made


def refusal(call):
    """What is said of a call that has to fail."""
    try:
        ready(call())
    except Exception as error:  # whatever kind: it is what is to be seen
        return f"{type(error).__name__}: {error}"
    return "nothing"


def near(values, wanted):
    return len(values) == len(wanted) and all(
        value is each or (value is not None and each is not None and abs(value - each) < 1e-4)
        for value, each in zip(values, wanted)
    )


def datum(weight):
    length = len(TEXT) - 1
    return types.Datum(
        model_input=types.ModelInput.from_ints(TEXT[:-1]),
        loss_fn_inputs={
            "target_tokens": types.TensorData(data=TEXT[1:], dtype="int64", shape=[length]),
            "weights": types.TensorData(data=[weight] * length, dtype="float32", shape=[length]),
        },
    )


service = tinker.ServiceClient()
rest = service.create_rest_client()
training = ready(service.create_lora_training_client(base_model=base, rank=4, seed=1, train_mlp=False, train_unembed=False))
run = training.get_info().model_id
session = run.split(":")[0]

# saving: how long, over what was there, with a note
training.save_state("kept", ttl_seconds=7200).result()
saw["not_over"] = refusal(lambda: training.save_state("kept"))
more = {"user_metadata": {"step": "1"}} if new else {}
state = training.save_state("kept", overwrite=True, **more).result().path
named = training.save_weights_for_sampler("named", ttl_seconds=7200, **more).result().path
listed = {each.tinker_path: each for each in rest.list_checkpoints(run).result().checkpoints}
saw["expire"] = [listed[path].expires_at is not None for path in (state, named)]
saw["types"] = [listed[path].checkpoint_type for path in (state, named)]
saw["sizes"] = all(each.size_bytes > 0 for each in listed.values())
if new:
    saw["noted"] = [listed[path].user_metadata for path in (state, named)]
info = rest.get_weights_info_by_tinker_path(state).result()
saw["modules"] = [info.train_attn, info.train_mlp, info.train_unembed]

# lists in pages
pages = [rest.list_user_checkpoints(limit=1, offset=at).result() for at in range(2)]
saw["pages"] = sorted(one.tinker_path for page in pages for one in page.checkpoints) == sorted(listed)
saw["counted"] = pages[0].cursor.total_count == len(rest.list_user_checkpoints().result().checkpoints)
runs = rest.list_training_runs(limit=1).result()
saw["newest_run"] = [each.training_run_id == run for each in runs.training_runs]

# one sampler by every way to it
sampler = ready(service.create_sampling_client(model_path=named))
ways = [sampler, ready(training.create_sampling_client(named)), pickle.loads(pickle.dumps(sampler))]
ways.append(ready(training.save_weights_and_get_sampling_client()))
if new:
    ways.append(tinker.SamplingClient.from_sampler_handle(sampler.get_sampler_handle()))
values = [way.compute_logprobs(prompt).result() for way in ways]
saw["ways"] = [near(each, values[0]) for each in values]
saw["tokenizer"] = sampler.get_tokenizer().decode(TEXT[1:3])
samplers = rest.get_session(session).result().sampler_ids
saw["samplers"] = [rest.get_sampler(each).result().model_path == path for each, path in zip(samplers, [named, named, None])]

if new:
    # likely tokens beside what was sampled are those of the same text as a prompt
    how = types.SamplingParams(max_tokens=6, temperature=1.0, seed=4, stop=[])
    said = sampler.sample(prompt, 1, how, topk_sample_logprobs=3).result().sequences[0]
    whole = types.ModelInput.from_ints(TEXT + [int(token) for token in said.tokens])
    one = types.SamplingParams(max_tokens=1)
    judged = sampler.sample(whole, 1, one, include_prompt_logprobs=True, topk_prompt_logprobs=3).result()
    own = judged.topk_prompt_logprobs[len(TEXT) :]
    saw["top_sampled"] = [len(own)] + [
        [token for token, _ in mine] == [token for token, _ in theirs]
        and near([value for _, value in mine], [value for _, value in theirs])
        for mine, theirs in zip(said.topk_logprobs, own)
    ]
    saw["sampled"] = near(list(map(float, said.logprobs)), judged.prompt_logprobs[len(TEXT) :])
    last = sampler.compute_logprobs(prompt, prompt_logprobs_last_n=3).result()
    saw["last"] = near(last, [None] * (len(TEXT) - 3) + values[0][-3:])
    saw["capabilities"] = base in [each.model_name for each in rest.get_server_capabilities().result().supported_models]

    # a loss as a graph, which runs on the client
    def likely(logprobs, weights):
        loss = -(logprobs * weights).sum()
        return loss, {"custom/likely:sum": loss}

    loss = service.create_custom_loss(likely, input_ranks={"logprobs": 1, "weights": 1}).result()
    right = training.forward([datum(0.5)], "cross_entropy").result().metrics["loss:sum"]
    mine = training.forward_backward_custom([datum(0.5)], loss).result().metrics
    saw["graph"] = near([mine["custom/likely:sum"], mine["loss:sum"]], [right, right])
    training.optim_step(types.AdamParams(learning_rate=0.0)).result()

# what there is not
day = datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc)
later = datetime.datetime(2026, 11, 2, tzinfo=datetime.timezone.utc)
refused = {
    "publish": lambda: rest.publish_checkpoint_from_tinker_path(named),
    "unpublish": lambda: rest.unpublish_checkpoint_from_tinker_path(named),
    "project": lambda: rest.assign_session_project(session, "p"),
    "trace": lambda: rest.export_session_trace(session),
    "audit": lambda: rest.get_audit_log(),
    "whoami": lambda: rest.whoami(),
}
if new:
    target = types.TensorData(data=[7] * (len(TEXT) - 1), dtype="int64", shape=[len(TEXT) - 1, 1])
    one = types.SamplingParams(max_tokens=1)
    refused |= {
        "billing": lambda: rest.get_billing_usage(day, later),
        "storage": lambda: rest.get_current_checkpoint_storage_usage(),
        "search": lambda: rest.search_sessions(types.SessionSearchRequest()),
        "copy": lambda: rest.copy_weights(state, "p"),
        "copy_own": lambda: service.copy_weights(state),
        "external_urls": lambda: rest.get_external_weights_urls(f"tinker://{run}/external_weights/outside"),
        "inflight": lambda: training.save_weights_and_get_sampling_client(kind="inflight"),
        "stability": lambda: ready(service.create_sampling_client(base_model=base, record_stability_info=True)).sample(prompt, 1, one),
        "target": lambda: sampler.sample(prompt, 1, one, target_prompt_logprobs=target),
        "alternatives": lambda: sampler.sample(prompt, 1, one, prompt_alt_tokens_k=2),
        "dimuon": lambda: service.create_lora_training_client(base_model=base, optimizer=types.DimuonOptimizerConfig()),
    }
saw["refused"] = {name: refusal(call) for name, call in refused.items()}
saw["goes_on"] = near(ready(training.save_weights_and_get_sampling_client()).compute_logprobs(prompt).result(), values[0])
if new:  # last: the SDK counts this call among the model's, and a server without it does not
    saw["refused"]["external"] = refusal(lambda: training.save_weights_external("outside"))

rest.delete_checkpoint(run, "weights/kept").result()
saw["left"] = [each.tinker_path for each in rest.list_checkpoints(run).result().checkpoints] == [named]
if new:
    service.close("success")
print(json.dumps(saw), flush=True)
