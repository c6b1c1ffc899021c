"""One training step of the method in PyTorch eager, in the order of the authors' code, on the work of BenchmarkStep:
RRDBNet with 23 blocks, 2 + 2 patches of 24x24, moving average as generalist, VGG19, U-Net discriminator, all terms on.

    python3 bench/step_torch.py MODE [STEPS [BATCH [PATCH]]]

MODE is float32, tf32 (a CUDA device's short float32 in convolutions and products of matrices) or bfloat16 (autocast),
any with -channels-last behind it. Prints seconds a step (median, best, and of processor time, which
$GOPDD_BENCH_THREADS=1 makes a measure that other work on the machine disturbs less) and by how much the resident memory
rose at most since before the networks were made, or the most bytes of tensors on the CUDA device that $GOPDD_DEVICE
names. Needs torch alone.
"""

import os
import resource
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

DEVICE = torch.device(os.environ.get("GOPDD_DEVICE") or "cpu")
PERCEPTUAL = {"conv1_2": 0.1, "conv2_2": 0.1, "conv3_4": 1.0, "conv4_4": 1.0, "conv5_4": 1.0}
INTER = {"conv2_1": 0.25, "conv3_1": 0.25, "conv4_1": 0.25, "conv5_1": 0.25}
INTRA = {"conv2_2": 0.1, "conv3_4": 0.3, "conv4_4": 1.0, "conv5_4": 1.0}


def conv(cin, cout):
    return nn.Conv2d(cin, cout, 3, 1, 1)


class Dense(nn.Module):
    def __init__(self, feat=64, grow=32):
        super().__init__()
        self.convs = nn.ModuleList(conv(feat + i * grow, grow if i < 4 else feat) for i in range(5))
        self.act = nn.LeakyReLU(0.2, inplace=True)

    def forward(self, x):
        seen = [x]
        for c in self.convs[:4]:
            seen.append(self.act(c(torch.cat(seen, 1))))
        return self.convs[4](torch.cat(seen, 1)) * 0.2 + x


class RRDB(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Sequential(Dense(), Dense(), Dense())

    def forward(self, x):
        return self.dense(x) * 0.2 + x


class RRDBNet(nn.Module):
    def __init__(self, blocks=23, feat=64):
        super().__init__()
        self.first, self.body = conv(3, feat), nn.Sequential(*(RRDB() for _ in range(blocks)))
        self.trunk, self.up1, self.up2 = conv(feat, feat), conv(feat, feat), conv(feat, feat)
        self.hr, self.last = conv(feat, feat), conv(feat, 3)
        self.act = nn.LeakyReLU(0.2, inplace=True)

    def forward(self, x):
        y = self.first(x)
        y = y + self.trunk(self.body(y))
        for up in (self.up1, self.up2):
            y = self.act(up(F.interpolate(y, scale_factor=2, mode="nearest")))
        return self.last(self.act(self.hr(y)))


class Discriminator(nn.Module):
    def __init__(self, n=64):
        super().__init__()
        down = lambda a, b: spectral_norm(nn.Conv2d(a, b, 4, 2, 1, bias=False))
        same = lambda a, b: spectral_norm(nn.Conv2d(a, b, 3, 1, 1, bias=False))
        self.c0, self.c1, self.c2, self.c3 = conv(3, n), down(n, 2 * n), down(2 * n, 4 * n), down(4 * n, 8 * n)
        self.c4, self.c5, self.c6 = same(8 * n, 4 * n), same(4 * n, 2 * n), same(2 * n, n)
        self.c7, self.c8, self.c9 = same(n, n), same(n, n), conv(n, 1)

    def forward(self, x):
        act = lambda y: F.leaky_relu(y, 0.2, inplace=True)
        up = lambda y: F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        x0 = act(self.c0(x))
        x1 = act(self.c1(x0))
        x2 = act(self.c2(x1))
        x3 = act(self.c3(x2))
        y = act(self.c4(up(x3))) + x2
        y = act(self.c5(up(y))) + x1
        y = act(self.c6(up(y))) + x0
        return self.c9(act(self.c8(act(self.c7(y)))))


class Features(nn.Module):
    """VGG19 up to the deepest of some layers; what it returns are copies, as its activations work in place."""

    def __init__(self, layers):
        super().__init__()
        self.layers, self.net, cin = layers, nn.ModuleDict(), 3
        for group, (depth, width) in enumerate([(2, 64), (2, 128), (4, 256), (4, 512), (4, 512)], 1):
            for k in range(1, depth + 1):
                self.net[f"conv{group}_{k}"], self.net[f"relu{group}_{k}"] = conv(cin, width), nn.ReLU(inplace=True)
                cin = width
            self.net[f"pool{group}"] = nn.MaxPool2d(2)
        for name in list(self.net)[list(self.net).index(max(layers)) + 1:]:
            del self.net[name]
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, x):
        x, out = (x - self.mean) / self.std, {}
        for name, layer in self.net.items():
            x = layer(x)
            if name in self.layers:
                out[name] = x.clone()
        return out


def gram(f):
    n, c, h, w = f.shape
    f = f.reshape(n, c, h * w)
    return f.bmm(f.transpose(1, 2)) / (c * h * w)


def haar(x):
    a, b, c, d = x[:, :, 0::2, 0::2], x[:, :, 0::2, 1::2], x[:, :, 1::2, 0::2], x[:, :, 1::2, 1::2]
    return (a + b + c + d) / 2, torch.cat([(b + d - a - c) / 2, (c + d - a - b) / 2], 1), (a - b - c + d) / 2


def wavelet(x, gt):
    return sum(w * F.l1_loss(p, q) for w, p, q in zip((1, 0.1, 0.01), haar(x), haar(gt)))


class Trainer:
    def __init__(self, layout):
        place = lambda net: net.to(device=DEVICE, memory_format=layout)
        self.g, self.average, self.d = place(RRDBNet()), place(RRDBNet()), place(Discriminator())
        self.average.load_state_dict(self.g.state_dict())
        self.average.requires_grad_(False)
        self.guide, self.perceptual = place(Features({**INTER, **INTRA})), place(Features(PERCEPTUAL))
        self.opt_g = torch.optim.Adam(self.g.parameters(), 1e-4, (0.9, 0.999))
        self.opt_d = torch.optim.Adam(self.d.parameters(), 1e-4, (0.9, 0.999))

    def distances(self, x_u, ref_u, x_l, ref_l):
        fu, fl = self.guide(x_u), self.guide(x_l)
        ru, rl = self.guide(ref_u), self.guide(ref_l)
        inter = sum(w * torch.norm(gram(fu[k] - ru[k]) - gram(fl[k] - rl[k])) for k, w in INTER.items())
        intra = 0
        for k, w in INTRA.items():
            p, q = F.softmax((ru[k] - rl[k]).abs(), 1), F.softmax((fu[k] - fl[k]).abs(), 1)
            intra = intra - w * (p * torch.log(q + 1e-6)).sum(1).mean()
        return inter, intra

    def adversarial(self, x, real):
        logits = self.d(x)
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))

    def step(self, lr_l, hr_l, lr_u, cast):
        self.d.requires_grad_(False)
        self.opt_g.zero_grad()
        with cast():
            with torch.no_grad():
                ref_l, ref_u = self.average(torch.cat([lr_l, lr_u])).chunk(2)
            x_l, x_u = self.g(torch.cat([lr_l, lr_u])).chunk(2)
            inter, intra = self.distances(x_u, ref_u, x_l, ref_l)
            loss = inter + intra + 0.5 * wavelet(x_l, hr_l)
            f, target = self.perceptual(x_l), self.perceptual(hr_l)
            loss = loss + sum(w * F.l1_loss(f[k], target[k]) for k, w in PERCEPTUAL.items())
            loss = loss + 1e-2 * self.adversarial(torch.cat([x_l, x_u]), True)
        loss.backward()
        self.opt_g.step()
        self.d.requires_grad_(True)
        self.opt_d.zero_grad()
        for x, real in ((hr_l, True), (x_l.detach(), False)):
            with cast():
                loss_d = self.adversarial(x, real)
            loss_d.backward()
        self.opt_d.step()
        with torch.no_grad():
            for a, p in zip(self.average.parameters(), self.g.parameters()):
                a.mul_(0.999).add_(p, alpha=0.001)
        return loss.item()


def status(key):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key + ":")) / 1024


def main():
    mode = sys.argv[1]
    steps, batch, patch = (int(a) for a in (sys.argv[2:] + ["5", "2", "24"][len(sys.argv) - 2:]))
    torch.set_num_threads(int(os.environ.get("GOPDD_BENCH_THREADS") or os.cpu_count()))
    torch.manual_seed(1)
    layout = torch.channels_last if mode.endswith("channels-last") else torch.contiguous_format
    bfloat16 = mode.startswith("bfloat16")
    cast = lambda: torch.autocast(DEVICE.type, torch.bfloat16, enabled=bfloat16)
    before = status("VmHWM")
    trainer = Trainer(layout)
    if DEVICE.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = mode.startswith("tf32")
    image = lambda side: torch.rand(batch, 3, side, side).to(memory_format=layout)
    data = image(patch), image(4 * patch), image(patch)
    processor = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    times = []
    for k in range(steps + 2):
        start = time.perf_counter()
        if k == 2:
            begin = processor()
        trainer.step(*(x.to(DEVICE, non_blocking=True) for x in data), cast)  # reads a loss, so it has ended
        if k >= 2:
            times.append(time.perf_counter() - start)
    peak = torch.cuda.max_memory_allocated(DEVICE) / 2**20 if DEVICE.type == "cuda" else status("VmHWM") - before
    print(f"torch {torch.__version__} {mode} {batch}+{batch}x{patch}: median {statistics.median(times):.3f} s, "
          f"best {min(times):.3f} s, processor {(processor() - begin) / steps:.3f} s, peak memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
