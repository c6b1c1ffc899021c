"""PyTorch on the work of BenchmarkRRDBNet: python3 bench/forward_torch.py SIDE MODE..., MODE one of
float32, float32-channels-last, bfloat16-channels-last. Prints the best and the median of some runs in seconds."""

import statistics
import sys
import time

import torch
from spandrel.architectures.ESRGAN import ESRGAN

torch.set_num_threads(2)
side = int(sys.argv[1])
for mode in sys.argv[2:]:
    net = ESRGAN(in_nc=3, out_nc=3, num_filters=64, num_blocks=23, scale=4).eval()
    x = torch.rand(1, 3, side, side)
    if "channels-last" in mode:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if "bfloat16" in mode:
        net, x = net.bfloat16(), x.bfloat16()
    times = []
    with torch.inference_mode():
        net(x)
        for _ in range(5):
            start = time.perf_counter()
            net(x)
            times.append(time.perf_counter() - start)
    print(f"torch {torch.__version__} {mode} {side}: best {min(times):.3f} median {statistics.median(times):.3f}")
