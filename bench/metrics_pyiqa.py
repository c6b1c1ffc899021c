"""Compares `pdd eval` with pyiqa on photographs and two degraded versions of each, value by value, and times both.

    python bench/metrics_pyiqa.py --photos /usr/share/backgrounds/mate/nature --pdd bin/pdd \
        --niqe-prior niqe_pris_params.npz --nrqm-model testdata/golden/metrics_nrqm_0/nrqm_model.mat

Needs pyiqa 0.1.16 with torch, Pillow, opencv and scipy. Photographs: for example Debian's mate-backgrounds. The prior
of NIQE is BasicSR's (Apache-2.0, in its source package). BasicSR's conventions of PSNR and SSIM are recomputed
here with numpy and OpenCV from their definition; BasicSR itself is not run.

Each photograph is shrunk and cut to --size (the truth); the results to measure are that picture as JPEG of quality
30, and shrunk to a quarter and enlarged again with Pillow's bicubic. Output is Markdown.
"""

import argparse
import json
import math
import os
import subprocess
import tempfile
import time

import cv2
import numpy as np
import torch
from PIL import Image, ImageOps

import pyiqa
from pyiqa.archs.niqe_arch import calculate_niqe
from pyiqa.archs.nrqm_arch import NRQM
from pyiqa.archs.psnr_arch import PSNR
from pyiqa.archs.ssim_arch import SSIM

COLORS = {"rgb": (False, "yiq"), "y_bt601": (True, "ycbcr"), "y_yiq": (True, "yiq")}
CROP = 4


def make_set(photos, count, size, root):
    """Writes truth/NAME.png and results/NAME_{jpeg30,x4}.png; returns [(result, truth)] as paths."""
    names = sorted(n for n in os.listdir(photos) if n.lower().endswith((".jpg", ".jpeg", ".png")))[:count]
    pairs = []
    for folder in ("truth", "results"):
        os.makedirs(os.path.join(root, folder))
    for n in names:
        stem = os.path.splitext(n)[0]
        img = ImageOps.fit(Image.open(os.path.join(photos, n)).convert("RGB"), size, Image.LANCZOS)
        truth = os.path.join(root, "truth", stem + ".png")
        img.save(truth)
        tmp = os.path.join(root, "tmp.jpg")
        img.save(tmp, quality=30)
        small = img.resize((size[0] // 4, size[1] // 4), Image.BICUBIC).resize(size, Image.BICUBIC)
        for kind, m in (("jpeg30", Image.open(tmp)), ("x4", small)):
            path = os.path.join(root, "results", f"{stem}_{kind}.png")
            m.save(path)
            pairs.append((path, truth))
    return pairs


def tensor(path):
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].float() / 255


def basicsr_planes(path, color):
    img = np.array(Image.open(path).convert("RGB")).astype(np.float64)[CROP:-CROP, CROP:-CROP]
    if color == "rgb":
        return img
    weights = {"y_bt601": [65.481, 128.553, 24.966], "y_yiq": [76.245, 149.685, 29.07]}[color]
    return (img @ np.array(weights) / 255 + (16 if color == "y_bt601" else 0))[..., None]


def basicsr_psnr(a, b):
    mse = np.mean((a - b) ** 2)
    return math.inf if mse == 0 else 10 * math.log10(255**2 / mse)


def basicsr_ssim(a, b):
    k = cv2.getGaussianKernel(11, 1.5)
    window = k @ k.T

    def smooth(x):
        return cv2.filter2D(x, -1, window)[5:-5, 5:-5]

    scores = []
    for c in range(a.shape[2]):
        x, y = np.ascontiguousarray(a[..., c]), np.ascontiguousarray(b[..., c])
        mx, my = smooth(x), smooth(y)
        vx, vy, cov = smooth(x * x) - mx * mx, smooth(y * y) - my * my, smooth(x * y) - mx * my
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        scores.append(np.mean((2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))))
    return float(np.mean(scores))


def references(args):
    """Name of our metric -> function of (result path, truth path)."""
    refs = {}
    for color, (y, space) in COLORS.items():
        psnr = PSNR(test_y_channel=y, color_space=space, crop_border=CROP)
        ssim = SSIM(test_y_channel=y, color_space=space, crop_border=CROP)
        refs[f"psnr_{color}_pyiqa"] = lambda r, t, f=psnr: f(tensor(r).double(), tensor(t).double()).item()
        refs[f"ssim_{color}_pyiqa"] = lambda r, t, f=ssim: f(tensor(r).double(), tensor(t).double()).item()
        refs[f"psnr_{color}_basicsr"] = lambda r, t, c=color: basicsr_psnr(basicsr_planes(r, c), basicsr_planes(t, c))
        refs[f"ssim_{color}_basicsr"] = lambda r, t, c=color: basicsr_ssim(basicsr_planes(r, c), basicsr_planes(t, c))
    if args.niqe_prior:
        prior = np.load(args.niqe_prior)
        mu, cov = (torch.from_numpy(np.ascontiguousarray(prior[k])) for k in ("mu_pris_param", "cov_pris_param"))
        for color in ("y_bt601", "y_yiq"):
            refs[f"niqe_{color}"] = lambda r, t, s=COLORS[color][1]: calculate_niqe(
                tensor(r).double(), CROP, color_space=s, mu_pris_param=mu, cov_pris_param=cov).item()
    if args.nrqm_model:
        for color in ("y_bt601", "y_yiq"):
            nrqm = NRQM(color_space=COLORS[color][1], crop_border=CROP, pretrained_model_path=args.nrqm_model)
            refs[f"nrqm_{color}"] = lambda r, t, f=nrqm: f(tensor(r).double()).item()
    return refs


def run_pdd(args, root, names):
    out = os.path.join(root, "out.json")
    command = [args.pdd, "eval", "--pred", os.path.join(root, "results"), "--gt", os.path.join(root, "truth"),
               "--metrics", names, "--crop", str(CROP), "--json", out]
    for flag, value in (("--niqe-prior", args.niqe_prior), ("--nrqm-model", args.nrqm_model)):
        command += [flag, value] if value else []
    start = time.time()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.time() - start
    with open(out) as f:
        return {row["file"]: row["values"] for row in json.load(f)["files"]}, seconds


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--photos", required=True)
    p.add_argument("--pdd", required=True)
    p.add_argument("--count", type=int, default=10)
    p.add_argument("--size", type=int, nargs=2, default=(540, 400), metavar=("W", "H"))
    p.add_argument("--only", default="", help="compare the metrics whose names start so")
    p.add_argument("--niqe-prior")
    p.add_argument("--nrqm-model")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as root:
        pairs = make_set(args.photos, args.count, tuple(args.size), root)
        print(f"{len(pairs) // 2} photographs, {len(pairs)} results of {args.size[0]}x{args.size[1]}, crop {CROP}; pyiqa {pyiqa.__version__}, "
              f"torch {torch.__version__}, {torch.get_num_threads()} threads\n")
        print("| metric | largest difference | relative | range of values | gopdd s/picture | reference s/picture |")
        print("|---|---:|---:|---|---:|---:|")
        for name, ref in references(args).items():
            if not name.startswith(args.only):
                continue
            ours, seconds = run_pdd(args, root, name)
            start = time.time()
            theirs = [ref(r, t) for r, t in pairs]
            ref_seconds = time.time() - start
            mine = [next(iter(ours[os.path.basename(r)].values())) for r, _ in pairs]
            diff = [abs(a - b) for a, b in zip(mine, theirs)]
            rel = max(d / abs(b) for d, b in zip(diff, theirs))
            print(f"| {name} | {max(diff):.1e} | {rel:.1e} | {min(theirs):.4g} to {max(theirs):.4g} "
                  f"| {seconds / len(pairs):.3f} | {ref_seconds / len(pairs):.3f} |", flush=True)


if __name__ == "__main__":
    main()
