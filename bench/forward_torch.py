"""PyTorch on the work of `pdd bench`: python3 bench/forward_torch.py NETWORK WxH MODE...

NETWORK is rrdbnet (Real-ESRGAN x4plus) or compact (realesr-animevideov3), with random weights. MODE is float32, tf32,
bfloat16 or float16, then -channels-last, then -compile, as one likes. Runs on the device that $GOPDD_DEVICE names, else
the CPU. Prints the best and the median of some runs in seconds. Needs torch alone.
"""

import os
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

from step_torch import DEVICE, RRDBNet, conv


class Compact(nn.Module):
    """SRVGGNetCompact of 16 convolutions between the first and the last."""

    def __init__(self, feat=64, depth=16, scale=4):
        super().__init__()
        layers = [conv(3, feat), nn.PReLU(feat)]
        for _ in range(depth):
            layers += [conv(feat, feat), nn.PReLU(feat)]
        self.body = nn.Sequential(*layers, conv(feat, 3 * scale * scale), nn.PixelShuffle(scale))
        self.scale = scale

    def forward(self, x):
        return self.body(x) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


def main():
    network, size, *modes = sys.argv[1:]
    width, height = map(int, size.split("x"))
    torch.set_num_threads(int(os.environ.get("GOPDD_BENCH_THREADS") or os.cpu_count()))
    torch.backends.cudnn.benchmark = True
    for mode in modes:
        precision = mode.split("-")[0]
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        dtype = torch.float32 if precision == "tf32" else getattr(torch, precision)
        layout = torch.channels_last if "channels-last" in mode else torch.contiguous_format
        net = {"rrdbnet": RRDBNet, "compact": Compact}[network]().eval().to(device=DEVICE, dtype=dtype, memory_format=layout)
        x = torch.rand(1, 3, height, width).to(device=DEVICE, dtype=dtype, memory_format=layout)
        run = torch.compile(net) if mode.endswith("-compile") else net
        times = []
        with torch.inference_mode():
            for k in range(8):
                start = time.perf_counter()
                run(x)[0, 0, 0, 0].item()  # waits for the device
                if k >= 3:
                    times.append(time.perf_counter() - start)
        print(f"torch {torch.__version__} {network} {mode} {size}: best {min(times):.4f} median {statistics.median(times):.4f}", flush=True)


main()
