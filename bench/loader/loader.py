"""Measures PyTorch's DataLoader with 2 worker processes at the work of main.go, the way BasicSR does it: cv2 decodes
whole pictures and makes them float32, then a patch is cropped and flipped. Prints batches per second and milliseconds
of processor time per batch, those of the workers and of this process together.

Where BasicSR leaves room, this takes the faster way: the bicubic is two BLAS products (BasicSR's imresize, a Python loop
over rows, takes 20 times as long), the second-order pipeline is OpenCV's and NumPy's with an integer JPEG and kernels
that are not padded to 21 (Real-ESRGAN's training runs it with torch on the GPU, on crops of 400 pixels), threads inside
workers are off, and the cache is filled before the workers are forked, so that they share it; patches from it become
float32 after they are cropped.
"""
import argparse
import glob
import math
import multiprocessing
import os
import random
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # the workers are the threads

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

cv2.setNumThreads(0)
HR, LR, SCALE, MARGIN = 192, 48, 4, 16


def bicubic_matrix(n):
    """MATLAB's bicubic to 1/4 as a matrix (n/4, n)."""
    m = np.zeros((n // SCALE, n), np.float32)
    for i in range(n // SCALE):
        u = (i + 0.5) * SCALE - 0.5
        for k in range(math.floor(u - 8), math.floor(u - 8) + 18):
            x = abs((u - k) / SCALE)
            w = 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0
            j = -1 - k if k < 0 else 2 * n - 1 - k if k >= n else k
            m[i, j] += w
    return m / m.sum(1, keepdims=True)


BICUBIC = bicubic_matrix(HR)


def shrink(img):
    rows = (BICUBIC @ img.reshape(HR, -1)).reshape(LR, HR, 3)
    return BICUBIC @ rows


def gaussian_kernel(size, sigma_x, sigma_y, theta, power):
    r = np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])
    inverse = np.linalg.inv(r @ np.diag([sigma_x**2, sigma_y**2]) @ r.T)
    ax = np.arange(-(size // 2), size // 2 + 1.0)
    xx, yy = np.meshgrid(ax, ax)
    q = inverse[0, 0] * xx * xx + 2 * inverse[0, 1] * xx * yy + inverse[1, 1] * yy * yy
    k = np.exp(-0.5 * q**power)
    return (k / k.sum()).astype(np.float32)


def random_kernel(sigma):
    size = random.choice(range(7, 22, 2))
    sx = random.uniform(*sigma)
    if random.random() < 0.7:
        return gaussian_kernel(size, sx, sx, 0, 1)
    return gaussian_kernel(size, sx, random.uniform(*sigma), random.uniform(-math.pi, math.pi), random.uniform(0.5, 2))


def usm(img):
    blur = cv2.GaussianBlur(img, (51, 51), 0)
    residual = img - blur
    mask = (np.abs(residual) * 255 > 10).astype(np.float32)
    soft = cv2.GaussianBlur(mask, (51, 51), 0)
    return soft * np.clip(img + 0.5 * residual, 0, 1) + (1 - soft) * img


def add_noise(img, sigma, scale):
    gray = random.random() < 0.4
    if random.random() < 0.5:
        shape = img.shape[:2] + (1,) if gray else img.shape
        noise = np.float32(np.random.randn(*shape)) * random.uniform(*sigma) / 255.0
    else:
        src = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY)[..., None] if gray else img
        src = np.clip((src * 255.0).round(), 0, 255) / 255.0
        vals = 2 ** np.ceil(np.log2(len(np.unique(src))))
        noise = (np.float32(np.random.poisson(src * vals) / vals) - src) * random.uniform(*scale)
    return np.clip(img + noise, 0, 1).astype(np.float32)


def jpeg(img):
    q = random.uniform(30, 95)
    _, code = cv2.imencode(".jpg", np.uint8(np.clip(img, 0, 1) * 255.0 + 0.5), [int(cv2.IMWRITE_JPEG_QUALITY), int(q)])
    return np.float32(cv2.imdecode(code, 1)) / 255.0


def resize(img, size=None, factor=None):
    mode = random.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC])
    return cv2.resize(img, size, fx=factor, fy=factor, interpolation=mode)


def factor(weights, low, high):
    kind = random.choices(["up", "down", "keep"], weights)[0]
    return random.uniform(1, high) if kind == "up" else random.uniform(low, 1) if kind == "down" else 1.0


def second_order(gt):
    gt = usm(gt)
    n = gt.shape[0] // SCALE
    img = cv2.filter2D(gt, -1, random_kernel((0.2, 3)))
    img = resize(img, factor=factor([0.2, 0.7, 0.1], 0.15, 1.5))
    img = jpeg(add_noise(img, (1, 30), (0.05, 3)))
    if random.random() < 0.8:
        img = cv2.filter2D(img, -1, random_kernel((0.2, 1.5)))
    side = int(n * factor([0.3, 0.4, 0.3], 0.3, 1.2))
    img = add_noise(resize(img, (side, side)), (1, 25), (0.05, 2.5))
    last = random.random() < 0.5
    if not last:
        img = jpeg(img)
    img = resize(img, (n, n))
    if random.random() < 0.8:
        img = cv2.filter2D(img, -1, random_kernel((0.2, 1.5)))  # as costly as a sinc kernel
    if last:
        img = jpeg(img)
    return gt, np.clip((img * 255.0).round(), 0, 255) / 255.0


def augment(imgs):
    h, v, r = (random.random() < 0.5 for _ in range(3))
    out = []
    for img in imgs:
        if h:
            cv2.flip(img, 1, img)
        if v:
            cv2.flip(img, 0, img)
        out.append(img.transpose(1, 0, 2) if r else img)
    return out


def to_tensor(img):
    return torch.from_numpy(cv2.cvtColor(np.ascontiguousarray(img, np.float32), cv2.COLOR_BGR2RGB).transpose(2, 0, 1).copy())


class Mixed(Dataset):
    def __init__(self, hr, lr, preset, cache):
        self.hr, self.lr = sorted(glob.glob(hr + "/**/*.*", recursive=True)), sorted(glob.glob(lr + "/**/*.*", recursive=True))
        self.preset, self.cache = preset, {}
        used = 0
        for path in [p for pair in zip(self.hr, self.lr) for p in pair]:
            if used >= cache:
                break
            img = self.decode(path)
            if used + img.nbytes <= cache:
                self.cache[path] = img
                used += img.nbytes

    def decode(self, path):
        with open(path, "rb") as f:
            return cv2.imdecode(np.frombuffer(f.read(), np.uint8), cv2.IMREAD_COLOR)

    def read(self, path):
        """Without a cache as BasicSR reads: the whole picture becomes float32. From the cache only the patch does."""
        img = self.cache.get(path)
        return img if img is not None else self.decode(path).astype(np.float32) / 255.0

    def crop(self, img, size):
        y, x = random.randint(0, img.shape[0] - size), random.randint(0, img.shape[1] - size)
        part = img[y:y + size, x:x + size]
        return part.astype(np.float32) / 255.0 if part.dtype == np.uint8 else part.copy()

    def __len__(self):
        return 1 << 30

    def __getitem__(self, i):
        img = self.read(self.hr[random.randrange(len(self.hr))])
        if self.preset == "bicubic":
            gt = self.crop(img, HR)
            lq = np.clip((shrink(gt) * 255.0).round(), 0, 255) / 255.0
        else:
            gt, lq = second_order(self.crop(img, HR + 2 * MARGIN))
            m = MARGIN // SCALE
            gt, lq = gt[MARGIN:-MARGIN, MARGIN:-MARGIN].copy(), lq[m:-m, m:-m].copy()
        gt, lq = augment([gt, np.ascontiguousarray(lq, np.float32)])
        (un,) = augment([self.crop(self.read(self.lr[random.randrange(len(self.lr))]), LR)])
        return {"lq_l": to_tensor(lq), "gt_l": to_tensor(gt), "lq_u": to_tensor(un)}


def processor_time():
    """Seconds of user and system time of this process and its workers so far."""
    total = time.process_time()
    for child in multiprocessing.active_children():
        with open(f"/proc/{child.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()  # from the third field on; utime and stime are 14 and 15
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--hr")
    p.add_argument("--lr")
    p.add_argument("--preset", default="bicubic")
    p.add_argument("--cache", type=int, default=0)
    p.add_argument("--warm", type=int, default=2)
    p.add_argument("--batches", type=int, default=20)
    p.add_argument("--workers", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(1)
    loader = DataLoader(Mixed(a.hr, a.lr, a.preset, a.cache << 20), batch_size=8, num_workers=a.workers,
                        worker_init_fn=lambda w: (random.seed(w), np.random.seed(w), cv2.setNumThreads(0)))
    batches = iter(loader)  # kept to the end: letting go of it stops the workers, which takes time
    for n in range(1, a.warm + a.batches + 1):
        batch = next(batches)
        assert batch["gt_l"].shape == (8, 3, HR, HR) and batch["lq_u"].shape == (8, 3, LR, LR)
        if n == a.warm:
            start, used = time.perf_counter(), processor_time()
    seconds, used = time.perf_counter() - start, processor_time() - used
    print(f"{a.batches / seconds:.2f} {used / a.batches * 1000:.2f}", flush=True)


main()
