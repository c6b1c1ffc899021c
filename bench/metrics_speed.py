"""Times `pdd eval` and pyiqa side by side on the same pictures, in one run, with the peak memory of each.

    python bench/metrics_speed.py --photos photos/png --pdd bin/pdd --weights ~/.cache/gopdd/weights \
        --niqe-prior niqe_pris_params.npz

Needs what metrics_pyiqa.py needs. A picture costs the difference between measuring several pictures and measuring one,
so that start-up, the import of torch and the loading of models do not count for either program; reading the PNG files
does. Peak memory is that of the whole process, with one picture. Output is Markdown. Programs are started from a small
process, for a program's peak begins with that of the process which starts it.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

# Metric, size, and how many pictures; few of those that pyiqa needs long for.
CASES = [
    ("psnr_y_bt601", (4000, 3000), 3),
    ("ssim_y_bt601", (4000, 3000), 2),
    ("niqe_y_bt601", (1080, 800), 6),
    ("nrqm_y_bt601", (1080, 800), 4),
    ("lpips_alex", (1080, 800), 6),
    ("lpips_vgg", (1080, 800), 3),
    ("lpips_squeeze", (1080, 800), 6),
    ("lpips_alex", (4000, 3000), 2),
]


def run(command):
    """Seconds and peak memory in bytes of a program."""
    start = time.time()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    errors = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: {errors}")
    return time.time() - start, usage.ru_maxrss * 1024


def write_pairs(photos, size, count, root):
    """Writes truth/N.png and results/N.png, the photograph and the same with noise; returns their folders."""
    from metrics_pyiqa import fit
    folders = [os.path.join(root, k) for k in ("results", "truth")]
    for f in folders:
        os.makedirs(f)
    rng = np.random.default_rng(1)
    for i in range(count):
        img = np.array(fit(photos[i % len(photos)], size))
        noisy = np.clip(img + rng.integers(-9, 10, img.shape), 0, 255).astype(np.uint8)
        for folder, m in zip(folders, (noisy, img)):
            Image.fromarray(m).save(os.path.join(folder, f"{i}.png"), compress_level=1)
    return folders


def reference(name, args):
    """Measures the pictures of --results with pyiqa; the last line printed is how many seconds each took on average."""
    import torch

    import metrics_pyiqa as peers
    peers.CROP = 0
    torch.set_grad_enabled(False)
    if name.startswith(("psnr", "ssim")):
        kind, color = name.split("_", 1)
        y, space = peers.COLORS[color]
        metric = peers.of_pyiqa({"psnr": peers.PSNR, "ssim": peers.SSIM}[kind](test_y_channel=y, color_space=space), torch.float32)
    elif name.startswith("niqe"):
        metric = peers.niqe_references(args.niqe_prior)[name, "pyiqa"]
    elif name.startswith("nrqm"):
        metric = peers.nrqm_references(args.nrqm_model)[name, "pyiqa"]
    else:
        net = name.split("_")[1]
        m = peers.lpips_model("pyiqa", net, args.backbone, peers.heads_file(args.weights, net))
        metric = peers.of_pyiqa(m, torch.float32)
    for n in sorted(os.listdir(args.results)):
        metric(os.path.join(args.results, n), os.path.join(args.truth, n))


def pdd_command(name, args, files, folders):
    flags = ["--pred", folders[0], "--gt", folders[1], "--metrics", name]
    if name.startswith("niqe"):
        flags += ["--niqe-prior", args.niqe_prior]
    if name.startswith("nrqm"):
        flags += ["--nrqm-model", files["nrqm"]]
    if name.startswith("lpips"):
        from metrics_pyiqa import heads_file
        net = name.split("_")[1]
        flags += ["--lpips-backbone", f"{net}={files[net]}", "--lpips-heads", f"{net}={heads_file(args.weights, net)}"]
    return [args.pdd, "eval", *flags]


def peer_command(name, args, files, folders):
    return [sys.executable, "-W", "ignore", os.path.abspath(__file__), "--reference", name, "--results", folders[0], "--truth", folders[1],
            "--niqe-prior", args.niqe_prior, "--nrqm-model", files["nrqm"], "--weights", args.weights, "--backbone", files.get(name.split("_")[1], "")]


def compare(args):
    import metrics_models as stand_ins
    from metrics_pyiqa import fit, make_nrqm, photos
    paths = photos(args.photos, 6)
    print("| metric | picture | gopdd s | gopdd MB | pyiqa s | pyiqa MB |\n|---|---|---:|---:|---:|---:|", flush=True)
    small_process = concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    with tempfile.TemporaryDirectory() as root, small_process:
        files = stand_ins.write_backbones(root) | {"nrqm": os.path.join(root, "nrqm.mat")}
        if any(n.startswith("nrqm") and n.startswith(args.only) for n, _, _ in CASES):
            small = []
            for i, p in enumerate(paths[:4]):
                small.append(os.path.join(root, f"small{i}.png"))
                fit(p, (270, 200)).save(small[-1])
            make_nrqm(files["nrqm"], small)
        for name, size, count in CASES:
            if not name.startswith(args.only):
                continue
            with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
                few, all_ = write_pairs(paths, size, 1, one), write_pairs(paths, size, count, many)
                cells = []
                for command in (pdd_command, peer_command):
                    first, memory = min(small_process.map(run, [command(name, args, files, few)] * 2))
                    seconds, _ = min(small_process.map(run, [command(name, args, files, all_)] * 2))
                    cells += [f"{(seconds - first) / (count - 1):.2f}", f"{memory / 1e6:.0f}"]
                print(f"| {name} | {size[0]}×{size[1]} | {' | '.join(cells)} |", flush=True)


def main():
    p = argparse.ArgumentParser()
    for flag in ("--photos", "--pdd", "--weights", "--niqe-prior"):
        p.add_argument(flag)
    p.add_argument("--only", default="", help="time the metrics whose names start so")
    for flag in ("--reference", "--results", "--truth", "--nrqm-model", "--backbone"):
        p.add_argument(flag, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.reference:
        reference(args.reference, args)
    else:
        compare(args)


if __name__ == "__main__":
    main()
