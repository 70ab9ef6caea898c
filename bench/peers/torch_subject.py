"""PyTorch eager as a subject of the benchmark: one JSON task a line in, one JSON result a line out.

A tight decoder rather than a library's: fused RMSNorm, attention and cross entropy, fused AdamW, a preallocated
key-value cache. What a library adds on top is not held against PyTorch.
"""

import time

import torch
import torch.nn.functional as F
from protocol import serve
from torch import nn


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.heads, self.key_heads, self.size = shape["heads"], shape["keyValueHeads"], shape["headSize"]
        width, rows = shape["hiddenSize"], (self.heads + 2 * self.key_heads) * self.size
        self.project = nn.Linear(width, rows, bias=False)
        self.output = nn.Linear(self.heads * self.size, width, bias=False)

    def forward(self, x, cos, sin, cache=None, at=0):
        batch, time_, _ = x.shape
        heads = self.project(x).view(batch, time_, -1, self.size).transpose(1, 2)
        q, k, v = heads.split([self.heads, self.key_heads, self.key_heads], dim=1)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if cache is not None:
            cache[0][:, :, at : at + time_], cache[1][:, :, at : at + time_] = k, v
            k, v = cache[0][:, :, : at + time_], cache[1][:, :, : at + time_]
        grouped = self.heads != self.key_heads
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=time_ > 1, enable_gqa=grouped)
        return self.output(mixed.transpose(1, 2).reshape(batch, time_, -1))


def rotate(x, cos, sin):
    low, high = x.chunk(2, dim=-1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), dim=-1)


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width, inner = shape["hiddenSize"], shape["intermediateSize"]
        self.before, self.between = nn.RMSNorm(width, eps=1e-5), nn.RMSNorm(width, eps=1e-5)
        self.attention = Attention(shape)
        self.gate, self.up = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x, cos, sin, cache=None, at=0):
        x = x + self.attention(self.before(x), cos, sin, cache, at)
        y = self.between(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Decoder(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape["vocabSize"], shape["hiddenSize"])
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape["layers"]))
        self.norm = nn.RMSNorm(shape["hiddenSize"], eps=1e-5)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
        half = shape["headSize"] // 2
        angles = torch.outer(torch.arange(shape["maxPositions"]), 10000.0 ** (-torch.arange(half) / half))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens, caches=None, at=0):
        x = self.embed(tokens)
        cos, sin = self.cos[at : at + tokens.shape[1]], self.sin[at : at + tokens.shape[1]]
        for nth, layer in enumerate(self.layers):
            x = layer(x, cos, sin, None if caches is None else caches[nth], at)
        return F.linear(self.norm(x if caches is None else x[:, -1:]), self.embed.weight)

    def caches(self, batch, length):
        shape = (batch, self.shape["keyValueHeads"], length, self.shape["headSize"])
        return [(torch.empty(shape), torch.empty(shape)) for _ in self.layers]


def train(model, optimiser, task):
    vocabulary = model.shape["vocabSize"]
    steps = [torch.randint(vocabulary, (task["batch"], task["time"] + 1)) for _ in range(task["steps"])]

    def work():
        for tokens in steps:
            logits = model(tokens[:, :-1])
            F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    return work, task["steps"] * task["batch"] * task["time"]


def sample(model, task):
    prompts = torch.randint(model.shape["vocabSize"], (task["repeats"], task["batch"], task["prompt"]))

    @torch.inference_mode()
    def work():
        for prompt in prompts:
            caches = model.caches(task["batch"], task["prompt"] + task["tokens"])
            tokens, logprobs, token = [], [], prompt
            for step in range(task["tokens"]):
                at = 0 if step == 0 else task["prompt"] + step - 1
                logprob = torch.log_softmax(model(token, caches, at)[:, -1], dim=-1)
                token = torch.multinomial(logprob.exp(), 1)
                tokens.append(token)
                logprobs.append(logprob.gather(1, token))
            torch.cat(tokens, dim=1).tolist(), torch.cat(logprobs, dim=1).tolist()

    return work, task["repeats"] * task["batch"] * task["tokens"]


def open_subject(setup):
    torch.manual_seed(1)
    torch.set_num_threads(setup["threads"])
    subjects = {}
    for name, shape in setup["presets"].items():
        model = Decoder(shape)
        subjects[name] = model, torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)

    def run(task):
        model, optimiser = subjects[task["preset"]]
        work, amount = train(model, optimiser, task) if task["kind"] == "train" else sample(model, task)
        started, cpu = time.perf_counter(), time.process_time()
        work()
        return dict(amount=amount, seconds=time.perf_counter() - started, cpuSeconds=time.process_time() - cpu)

    return run, f"PyTorch {torch.__version__}"


serve(open_subject)
