"""Writes tests/tinker/fixtures/messages.json: protobuf messages as the official SDK makes them, and what they say.

    /tmp/venvs/tinker38/bin/python tests/peers/tinker/make_fixtures.py
"""

import base64
import json
from pathlib import Path

import numpy as np
import tinker
from tinker import types
from tinker.proto import tinker_public_pb2 as pb
from tinker.proto.request_conv import forward_backward_request_to_proto
from tinker.types.provenance_spans import PromptProvenanceSpan, SampledProvenanceSpan

TARGET = Path(__file__).parents[2] / "tinker" / "fixtures" / "messages.json"


def floats(*values):
    return np.asarray(values, np.float32).tobytes()


def int32(*values):
    return np.asarray(values, np.int32).tobytes()


def int64(*values):
    return np.asarray(values, np.int64).tobytes()


def tensor(values, dtype, shape, crow=None, columns=None):
    return types.TensorData(
        data=values, dtype=dtype, shape=shape, sparse_crow_indices=crow, sparse_col_indices=columns
    )


def ppo_request():
    """Both maps of options, a text option, and spans, which a reader passes over."""
    datum = types.Datum(
        model_input=types.ModelInput(
            chunks=[types.EncodedTextChunk(tokens=[5, 6]), types.EncodedTextChunk(tokens=[151643])]
        ),
        loss_fn_inputs={
            "target_tokens": tensor([6, 151643, 7], "int64", [3]),
            "logprobs": tensor([0.0, -0.5, -2.25], "float32", [3]),
            "advantages": tensor([0.0, 1.5, -1.5], "float32", [3]),
        },
        model_input_spans=[
            PromptProvenanceSpan(sequence_id="s:0:0", offset=0, length=2),
            SampledProvenanceSpan(sequence_id="s:0:0", offset=0, length=1),
        ],
        loss_fn_input_spans=[SampledProvenanceSpan(sequence_id="s:0:0", offset=0, length=3)],
    )
    body = types.ForwardBackwardInput(
        data=[datum],
        loss_fn="ppo",
        loss_fn_config={"clip_low_threshold": 0.8, "clip_high_threshold": 1.2, "flavour": "plain"},
    )
    return types.ForwardBackwardRequest(forward_backward_input=body, model_id="session:train:0", seq_id=3)


def soft_request():
    """Two-dimensional targets, one dense and one as sparse rows; a forward pass alone."""
    datum = types.Datum(
        model_input=types.ModelInput.from_ints([1, 2]),
        loss_fn_inputs={
            "target_tokens": tensor([2, 0, 3, 9], "int64", [2, 2]),
            "weights": tensor([1.0, 0.75, 0.25], "float32", [2, 2], crow=[0, 1, 3], columns=[0, 0, 1]),
        },
    )
    body = types.ForwardBackwardInput(data=[datum], loss_fn="cross_entropy")
    return types.ForwardBackwardRequest(forward_backward_input=body, model_id="m", seq_id=1)


def output():
    """Two data of different lengths in one record, and one more in a second record, in halves."""
    halves = pb.BatchedTensor(data=np.asarray([0xBF80], np.uint16).tobytes(), offsets=int64(0, 2), dtype=pb.DTYPE_BFLOAT16)
    whole = pb.BatchedTensor(data=floats(-0.5, -1.5, -2.5), offsets=int64(0, 4, 12), dtype=pb.DTYPE_FLOAT32)
    return pb.ForwardBackwardOutput(
        loss_fn_output_type="TorchLossReturn",
        loss_fn_outputs=[
            pb.ArrayRecord(type_tag="T", fields={"logprobs": whole}, num_datums=2),
            pb.ArrayRecord(type_tag="T", fields={"logprobs": halves}, num_datums=1),
        ],
        metrics={"loss:sum": 5.5},
    )


def plain_output():
    """What this project's server writes: one record."""
    whole = pb.BatchedTensor(data=floats(-0.5, -1.5, -2.5), offsets=int64(0, 4, 12), dtype=pb.DTYPE_FLOAT32)
    record = pb.ArrayRecord(type_tag="ArrayRecord", fields={"logprobs": whole}, num_datums=2)
    return pb.ForwardBackwardOutput(
        loss_fn_output_type="ArrayRecord", loss_fn_outputs=[record], metrics={"loss:sum": 4.5}
    )


def sample():
    top = pb.TopkLogprobs(token_ids=int32(0, 0, 4, 5), logprobs=floats(-99999.0, -99999.0, -0.5, -1.0), k=2, length=2)
    return pb.SampleResponse(
        sequences=[
            pb.SampledSequence(stop_reason=pb.STOP_REASON_STOP, tokens=int32(4, 2), logprobs=floats(-0.5, -0.25)),
            pb.SampledSequence(stop_reason=pb.STOP_REASON_LENGTH, tokens=int32(4), logprobs=floats(-0.5)),
        ],
        prompt_logprobs=floats(float("nan"), -1.5),
        topk_prompt_logprobs=top,
    )


def encode(message):
    return base64.b64encode(message.SerializeToString(deterministic=True)).decode()


TARGET.write_text(
    json.dumps(
        {
            "sdk": tinker.__version__,
            "ppo": encode(forward_backward_request_to_proto(ppo_request())),
            "soft": encode(forward_backward_request_to_proto(soft_request())),
            "output": encode(output()),
            "plainOutput": encode(plain_output()),
            "sample": encode(sample()),
        },
        indent=1,
    )
    + "\n"
)
print(TARGET)
