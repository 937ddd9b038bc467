"""A step of LaLiGAN's training as it is published, in PyTorch, timed. Imports no lieder; needs torch.

    python benchmarks/rival_latent.py [COLUMNS ...]     # 50 and 5202 by default

Networks and losses by Yang, Dehmamy, Walters, Yu (2024), in words of ours: encoder, decoder and discriminator of five
hidden layers of 512; batch normalisation in the encoder, its last layer orthogonal; pairs of rows, 256 a step; squared
error of the reconstruction, the adversary's entropy, |mean cos(g z, z)|; one backward pass and three Adams a step,
losses read by the host at each. 5202 columns are pixels and their velocities as in the published pendulum, whose epoch
has 389 steps: 200 trajectories of 498 pairs.
"""

import sys
import time

import measure  # noqa: F401 - first: it fixes the threads before NumPy starts

# isort: split

import torch
from torch import nn
from torch.nn.utils.parametrizations import orthogonal

WIDTH, DEPTH, BATCH, LATENT, EPOCH = 512, 5, 256, 2, 389


def hidden(inputs: int, normalised: bool = False) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for size in (inputs, *[WIDTH] * (DEPTH - 1)):
        layers += [nn.Linear(size, WIDTH), *([nn.BatchNorm1d(WIDTH)] if normalised else []), nn.ReLU()]
    return layers


def milliseconds(columns: int, steps: int = 20) -> float:
    """Of processor time, a step."""
    encoder = nn.Sequential(*hidden(columns, True), orthogonal(nn.Linear(WIDTH, LATENT)), nn.BatchNorm1d(LATENT))
    decoder = nn.Sequential(*hidden(LATENT), nn.Linear(WIDTH, columns))
    judge = nn.Sequential(*hidden(2 * LATENT), nn.Linear(WIDTH, 1))
    generator = nn.Parameter(torch.randn(LATENT, LATENT))
    entropy, yes, no = nn.BCEWithLogitsLoss(), torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    optimisers = [
        torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3),
        torch.optim.Adam(judge.parameters(), 1e-3),
        torch.optim.Adam([generator], 1e-3),
    ]

    def step() -> list[float]:
        x = torch.randn(2 * BATCH, columns)
        z = encoder(x)
        moves = torch.linalg.matrix_exp(torch.randn(BATCH, 1, 1) * generator)
        pairs = z.reshape(BATCH, 2, LATENT)
        moved = torch.einsum("bij,bpj->bpi", moves, pairs)
        losses = [
            nn.functional.mse_loss(decoder(z), x),
            0.01 * entropy(judge(moved.reshape(BATCH, -1)), yes),
            0.02 * torch.cosine_similarity(moved, pairs, dim=-1).mean().abs(),
            (
                entropy(judge(pairs.detach().reshape(BATCH, -1)), yes)
                + entropy(judge(moved.detach().reshape(BATCH, -1)), no)
            )
            / 2,
        ]
        for optimiser in optimisers:
            optimiser.zero_grad()
        torch.stack(losses).sum().backward()
        for optimiser in optimisers:
            optimiser.step()
        return [loss.item() for loss in losses]

    for _ in range(3):
        step()
    begun = time.process_time()
    for _ in range(steps):
        step()
    return (time.process_time() - begun) / steps * 1e3


def main() -> None:
    torch.set_num_threads(1)
    for columns in map(int, sys.argv[1:] or ("50", "5202")):
        each = milliseconds(columns)
        print(f"{columns} columns: {each:.1f} ms of CPU a step, {each * EPOCH / 1e3:.0f} s an epoch", flush=True)


if __name__ == "__main__":
    main()
