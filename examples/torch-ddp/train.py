"""One worker of a gang that trains a byte-level GPT with DistributedDataParallel: NCCL on GPUs, else gloo.

Reads the variables of `torch.distributed` (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT) and Banyan's
BANYAN_CHECKPOINT_DIR and BANYAN_PROGRESS_FILE. Resumes from the newest whole checkpoint with the same data as if it
had not been interrupted.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

STOPPED_BY_SIGNAL = 128 + signal.SIGTERM
CHECKPOINTS_KEPT = 2


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        heads = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        future = torch.full((length, length), float("-inf"), device=x.device).triu(1)
        scores = query @ key.transpose(-1, -2) / (width // self.heads) ** 0.5 + future
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, width)
        x = x + self.out(mixed)
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, width, layers, heads, context):
        super().__init__()
        self.embedding = nn.Embedding(256, width)
        self.position = nn.Parameter(0.02 * torch.randn(context, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 256))

    def forward(self, inputs):
        return self.head(self.blocks(self.embedding(inputs) + self.position))


def main():
    options = read_options()
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", 0) if on_gpu else torch.device("cpu")
    stop = asked_to_stop()
    corpus = load_corpus()
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=timedelta(seconds=300))

    torch.manual_seed(options.seed)
    gpt = Gpt(options.width, options.layers, options.heads, options.context).to(device)
    optimiser = torch.optim.AdamW(gpt.parameters(), lr=options.rate, betas=(0.9, 0.95))
    step = resume(rank, gpt, optimiser, device)
    model = DistributedDataParallel(gpt)
    compute = ComputeTime(on_gpu)
    model.register_comm_hook(compute, compute.before_exchange)

    # Near equal shares of the batch, whatever the number of workers.
    sequences = range(rank * options.batch // world, (rank + 1) * options.batch // world)
    positions = options.batch * options.context
    stopping = False
    while step < options.steps and not stopping:
        step += 1
        begun = time.perf_counter()
        compute.start()
        inputs, targets = load_batch(corpus, options, step, sequences, device)
        logits = model(inputs)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum") / positions
        optimiser.zero_grad()
        # DistributedDataParallel divides the sum over the workers by their number.
        (loss * world).backward()
        optimiser.step()
        # Summed too: the wish to stop, so that all workers stop after the same step, and how long each one computed.
        signals = torch.zeros(2 + world, device=device)
        signals[0], signals[1], signals[2 + rank] = loss.detach(), float(stop.asked), compute.milliseconds()
        dist.all_reduce(signals)
        loss_sum, stops, *compute_ms = signals.tolist()
        stopping = stops > 0
        if rank == 0:
            step_ms = 1000 * (time.perf_counter() - begun)
            times = {"stepMs": round(step_ms, 1), "computeMs": [round(ms, 1) for ms in compute_ms]}
            report(options, step, loss_sum, times, stopping, gpt, optimiser)
    # Nobody leaves while rank 0 may still save.
    dist.barrier()
    return 0 if step == options.steps else STOPPED_BY_SIGNAL


class ComputeTime:
    """How long this worker computes in a step until its last gradients are there to be exchanged.

    The whole step is as long for every worker, because they wait for each other: only this tells who is slow.
    """

    def __init__(self, on_gpu):
        self.on_gpu = on_gpu

    def start(self):
        self.begun = self.now()

    def before_exchange(self, _, bucket):
        """Called for each bucket of gradients when it is complete; the last call of a step counts."""
        self.ready = self.now()
        return allreduce_hook(None, bucket)

    def milliseconds(self):
        if not self.on_gpu:
            return 1000 * (self.ready - self.begun)
        self.ready.synchronize()
        return self.begun.elapsed_time(self.ready)

    def now(self):
        if not self.on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event


def report(options, step, loss, times, stopping, gpt, optimiser):
    """Writes a line of progress, and a checkpoint when one is due."""
    tokens = step * options.batch * options.context
    line = {"step": step, "totalSteps": options.steps, "loss": loss, "tokens": tokens, **times}
    folder = os.environ.get("BANYAN_CHECKPOINT_DIR")
    if folder and (step % options.save_every == 0 or step == options.steps or stopping):
        state = {"step": step, "model": gpt.state_dict(), "optimiser": optimiser.state_dict()}
        line["checkpoint"] = str(save_checkpoint(Path(folder), step, state))
    if progress := os.environ.get("BANYAN_PROGRESS_FILE"):
        with open(progress, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    if step % 10 == 0 or "checkpoint" in line:
        print(f"step {step}/{options.steps} loss {loss:.3f}", flush=True)


def save_checkpoint(folder, step, state):
    """The path of the checkpoint, which has its name only once it is whole and on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{step:08}.pt"
    beside = path.with_suffix(f".{os.getpid()}.part")
    with open(beside, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    for old in sorted(folder.glob("step-*.pt"))[:-CHECKPOINTS_KEPT]:
        old.unlink()
    return path


def resume(rank, gpt, optimiser, device):
    """The step of the newest whole checkpoint, which rank 0 reads and gives to all; 0 when there is none."""
    newest = [load_newest_checkpoint() if rank == 0 else None]
    dist.broadcast_object_list(newest, device=device)
    if newest[0] is None:
        return 0
    gpt.load_state_dict(newest[0]["model"])
    optimiser.load_state_dict(newest[0]["optimiser"])
    return newest[0]["step"]


def load_newest_checkpoint():
    folder = os.environ.get("BANYAN_CHECKPOINT_DIR")
    for path in sorted(Path(folder).glob("step-*.pt"), reverse=True) if folder else []:
        try:
            state = torch.load(path, map_location="cpu")
        except Exception as error:  # A broken file shows in many ways.
            print(f"passing over {path}: {error}", file=sys.stderr)
            continue
        print(f"resuming after step {state['step']} from {path}", flush=True)
        return state
    return None


def load_corpus():
    """The Markdown documents under TORCH_DDP_TEXT (default: this repository's node_modules), as bytes."""
    folder = Path(os.environ.get("TORCH_DDP_TEXT") or Path(__file__).resolve().parents[2] / "node_modules")
    corpus = b"\n\n".join(path.read_bytes() for path in sorted(folder.rglob("*.md")) if path.is_file())
    if not corpus:
        sys.exit(f"no Markdown documents under {folder}; run npm ci, or set TORCH_DDP_TEXT to a folder of them")
    return torch.frombuffer(bytearray(corpus), dtype=torch.uint8)


def load_batch(corpus, options, step, sequences, device):
    """Inputs and targets of the given sequences of a step; they hang on the seed, the step and their numbers only."""
    texts = []
    for sequence in sequences:
        digest = hashlib.sha256(f"{options.seed}/{step}/{sequence}".encode()).digest()
        start = int.from_bytes(digest[:6], "little") % (len(corpus) - options.context)
        texts.append(corpus[start : start + options.context + 1])
    batch = torch.stack(texts).long().to(device)
    return batch[:, :-1], batch[:, 1:]


def asked_to_stop():
    """An object whose `asked` turns true on SIGTERM."""

    class Stop:
        asked = False

    def ask(*_):
        Stop.asked = True

    signal.signal(signal.SIGTERM, ask)
    return Stop


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in {"steps": 200, "batch": 16, "context": 64, "width": 128, "layers": 2, "heads": 4}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--save-every", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    missing = [name for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        parser.error(
            f"this is one worker of a gang, and {', '.join(missing)} not set; "
            "start it with: banyan run examples/torch-ddp/train.yaml"
        )
    if options.batch < int(os.environ["WORLD_SIZE"]):
        parser.error("--batch must be at least the number of workers")
    return options


if __name__ == "__main__":
    try:
        code = main()
    except RuntimeError as error:
        print(f"worker {os.environ.get('RANK')}: {error}", file=sys.stderr, flush=True)
        code = 1
    sys.stdout.flush()
    # A collective that a dead worker left hanging must not hold up the exit.
    os._exit(code)
