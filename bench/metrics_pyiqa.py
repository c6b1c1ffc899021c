"""Compares `pdd eval` with pyiqa, BasicSR and the Python package lpips on photographs and two degraded versions of each,
value by value.

    python bench/metrics_pyiqa.py --photos photos/png --pdd bin/pdd --weights ~/.cache/gopdd/weights \
        --niqe-prior niqe_pris_params.npz

Needs pyiqa 0.1.16, basicsr 1.4.2, lpips 0.1.4, torch and torchvision. Photographs: a folder that bench/loader/photos.py
makes. The prior of NIQE is BasicSR's (Apache-2.0, in its package). The linear heads of LPIPS are those that
`pdd weights get lpips-alex lpips-vgg lpips-squeeze` fetches into --weights; its backbones and the model of NRQM are
stand-ins, see metrics_models.py. y_yiq_basicsr is no convention of BasicSR: it is recomputed here from the definition.

Each photograph is shrunk and cut to --size (the truth); the results to measure are that picture as JPEG of quality
30, and shrunk to a quarter and enlarged again with Pillow's bicubic. Output is Markdown.
"""

import argparse
import glob
import json
import math
import os
import subprocess
import tempfile
import warnings
from unittest import mock

import numpy as np
import torch
from PIL import Image, ImageOps

warnings.filterwarnings("ignore")
import lpips
import metrics_models as stand_ins
import pyiqa
from basicsr.metrics import niqe as basicsr_niqe
from basicsr.metrics import psnr_ssim as basicsr
from basicsr.metrics.metric_util import to_y_channel
from pyiqa.archs import lpips_arch, nrqm_arch
from pyiqa.archs.niqe_arch import calculate_niqe
from pyiqa.archs.psnr_arch import PSNR
from pyiqa.archs.ssim_arch import SSIM
from pyiqa.utils.color_util import to_y_channel as pyiqa_luma

COLORS = {"rgb": (False, "yiq"), "y_bt601": (True, "ycbcr"), "y_yiq": (True, "yiq")}
CROP = 4
FLAT = 0.02
JPEG_METRICS = ["psnr_rgb", "psnr_y_bt601", "sharpness", "ssim_rgb", "ssim_y_bt601"]


def fit(path, size):
    """A photograph, shrunk and cut to size."""
    return ImageOps.fit(Image.open(path).convert("RGB"), size, Image.LANCZOS)


def photos(folder, count):
    return sorted(p for p in glob.glob(os.path.join(folder, "*")) if p.lower().endswith((".jpg", ".jpeg", ".png")))[:count]


def make_set(paths, size, root):
    """Writes truth/NAME.png and results/NAME_{jpeg30,x4}.png; returns [(result, truth)] as paths."""
    pairs = []
    for folder in ("truth", "results"):
        os.makedirs(os.path.join(root, folder))
    for p in paths:
        stem = os.path.splitext(os.path.basename(p))[0]
        img = fit(p, size)
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


def pixels(path):
    return np.array(Image.open(path).convert("RGB"))


def tensor(path):
    return torch.from_numpy(pixels(path)).permute(2, 0, 1)[None].float() / 255


def of_pyiqa(module, kind=torch.float64):
    return lambda r, t: module(tensor(r).to(kind), tensor(t).to(kind)).item()


def of_basicsr(f, y):
    """BasicSR takes bytes in the order B, G, R."""
    return lambda r, t: float(f(pixels(r)[..., ::-1], pixels(t)[..., ::-1], CROP, test_y_channel=y))


def yiq_planes(path):
    return (pixels(path).astype(np.float64)[CROP:-CROP, CROP:-CROP] @ [0.299, 0.587, 0.114])[..., None]


def yiq_psnr(r, t):
    return 10 * math.log10(255**2 / np.mean((yiq_planes(r) - yiq_planes(t)) ** 2))


def yiq_ssim(r, t):
    return float(basicsr._ssim(yiq_planes(r)[..., 0], yiq_planes(t)[..., 0]))


def full_references():
    """Name of our metric, program -> function of (result path, truth path)."""
    refs = {}
    for color, (y, space) in COLORS.items():
        options = {"test_y_channel": y, "color_space": space, "crop_border": CROP}
        refs[f"psnr_{color}_pyiqa", "pyiqa"] = of_pyiqa(PSNR(**options))
        refs[f"ssim_{color}_pyiqa", "pyiqa"] = of_pyiqa(SSIM(**options))
        if color == "y_yiq":
            refs["psnr_y_yiq_basicsr", "definition"], refs["ssim_y_yiq_basicsr", "definition"] = yiq_psnr, yiq_ssim
        else:
            refs[f"psnr_{color}_basicsr", "BasicSR"] = of_basicsr(basicsr.calculate_psnr, y)
            refs[f"ssim_{color}_basicsr", "BasicSR"] = of_basicsr(basicsr.calculate_ssim, y)
    return refs


def niqe_references(path):
    prior = np.load(path)
    mu, cov = (torch.from_numpy(np.ascontiguousarray(prior[k])) for k in ("mu_pris_param", "cov_pris_param"))
    refs = {(f"niqe_{color}", "pyiqa"): lambda r, t, s=COLORS[color][1]: calculate_niqe(
        tensor(r).double(), CROP, color_space=s, mu_pris_param=mu, cov_pris_param=cov).item() for color in ("y_bt601", "y_yiq")}
    refs["niqe_y_bt601", "BasicSR"] = lambda r, t: float(basicsr_niqe.calculate_niqe(pixels(r)[..., ::-1], CROP))

    def in_float64(r, _):  # BasicSR computes the local variance, a difference of large numbers, in float32
        y = to_y_channel(pixels(r)[..., ::-1])[CROP:-CROP, CROP:-CROP, 0].round()
        return basicsr_niqe.niqe(y.astype(np.float64), prior["mu_pris_param"], prior["cov_pris_param"], prior["gaussian_window"])
    refs["niqe_y_bt601", "BasicSR in float64"] = in_float64
    return refs


def flat_share(path):
    """The share of 7x7 windows whose rounded luma has one value only."""
    y = torch.from_numpy(to_y_channel(pixels(path)[..., ::-1])[CROP:-CROP, CROP:-CROP, 0].round())[None]
    return (torch.max_pool2d(y, 7, 1) == -torch.max_pool2d(-y, 7, 1)).double().mean().item()


def lpips_model(program, net, backbone, heads):
    """LPIPS of the package lpips or of pyiqa with the given weights."""
    if program == "lpips":
        m = lpips.LPIPS(net=net, pretrained=True, pnet_rand=True, model_path=heads, verbose=False)
    else:  # which always fetches torchvision's weights
        bare = {f.__name__: lambda f=f, **_: f() for f in stand_ins.BACKBONES.values()}
        with mock.patch.multiple(lpips_arch.models, **bare):
            m = lpips_arch.LPIPS(net=net, pretrained_model_path=heads)
    weights = torch.load(backbone)
    m.net.load_state_dict({k: weights["features." + k.split(".", 1)[1]] for k in m.net.state_dict()})
    return m.eval()


def heads_file(folder, net):
    return glob.glob(os.path.join(folder, f"LPIPS_v0.1_{net}-*.pth"))[0]


def lpips_references(folder, backbones):
    """lpips in float64, pyiqa in float32 as its users run it; both without the border."""
    def cut(path, kind):
        return tensor(path)[..., CROP:-CROP, CROP:-CROP].to(kind)
    refs = {}
    for net, backbone in backbones.items():
        m = lpips_model("lpips", net, backbone, heads_file(folder, net)).double()
        refs[f"lpips_{net}", "lpips"] = lambda r, t, m=m: m(cut(r, torch.float64), cut(t, torch.float64), normalize=True).item()
        m = lpips_model("pyiqa", net, backbone, heads_file(folder, net))
        refs[f"lpips_{net}", "pyiqa"] = lambda r, t, m=m: m(cut(r, torch.float32), cut(t, torch.float32)).item()
    return refs


def nrqm_features(path):
    """pyiqa's three groups of features."""
    y = pyiqa_luma(tensor(path).double(), 255, "ycbcr")
    pyramid = nrqm_arch.get_gauss_pyramid(y / 255.0)
    singular = [torch.linalg.svd(nrqm_arch.im2col(p, 5, "distinct"), full_matrices=False)[1] for p in pyramid]
    return [torch.cat([nrqm_arch.block_dct(p) for p in pyramid], 1)[0].numpy(), nrqm_arch.global_gsm(y)[0].numpy(),
            torch.cat(singular, 1)[0].numpy()]


def make_nrqm(path, pictures):
    """Writes a model whose thresholds lie among the features of pictures."""
    stand_ins.write_nrqm(path, [np.array(g) for g in zip(*(nrqm_features(p) for p in pictures))])


def nrqm_references(model):
    m = nrqm_arch.NRQM(color_space="ycbcr", crop_border=CROP, pretrained_model_path=model)
    return {("nrqm_y_bt601", "pyiqa"): lambda r, t: m(tensor(r).double()).item()}


def measured(args, root, name, extra):
    """Our values {result file: value}."""
    out = os.path.join(root, "out.json")
    subprocess.run([args.pdd, "eval", "--pred", os.path.join(root, "results"), "--gt", os.path.join(root, "truth"),
                    "--metrics", name, "--crop", str(CROP), "--json", out, *extra], check=True, stdout=subprocess.DEVNULL)
    with open(out) as f:
        return {row["file"]: next(iter(row["values"].values())) for row in json.load(f)["files"]}


def references(args, root, pairs):
    """All that --only asks for, and the flags that ours needs, by the first letters of its name."""
    def wanted(kind):
        return kind.startswith(args.only) or args.only.startswith(kind)
    refs, flags = full_references(), {"niqe": ["--niqe-prior", args.niqe_prior]}
    if wanted("niqe"):
        refs |= niqe_references(args.niqe_prior)
    if wanted("lpips"):
        backbones = stand_ins.write_backbones(root)
        refs |= lpips_references(args.weights, {net: path for net, path in backbones.items() if wanted("lpips_" + net)})
        flags["lpip"] = [f for net, path in backbones.items() for f in (
            "--lpips-backbone", f"{net}={path}", "--lpips-heads", f"{net}={heads_file(args.weights, net)}")]
    if wanted("nrqm"):
        model = os.path.join(root, "NRQM_synthetic.mat")
        make_nrqm(model, sorted({t for _, t in pairs}))
        refs |= nrqm_references(model)
        flags["nrqm"] = ["--nrqm-model", model]
    return {key: ref for key, ref in refs.items() if key[0].startswith(args.only)}, flags


def jpeg_files(args, root):
    """How far our values of JPEG files are from those of what Pillow (libjpeg) decodes them to."""
    print("| quality | chroma | " + " | ".join(JPEG_METRICS) + " |\n|---:|---|" + "---:|" * len(JPEG_METRICS))
    for quality, subsampling in ((30, "4:2:0"), (90, "4:2:0"), (90, "4:4:4")):
        folder = os.path.join(root, f"{quality}-{subsampling[-3::2]}")
        for kind in ("truth", "jpeg", "png"):
            os.makedirs(os.path.join(folder, kind))
        for p in photos(args.photos, args.count):
            stem = os.path.splitext(os.path.basename(p))[0]
            img = fit(p, tuple(args.size))
            img.save(os.path.join(folder, "truth", stem + ".png"))
            jpeg = os.path.join(folder, "jpeg", stem + ".jpg")
            img.save(jpeg, quality=quality, subsampling=subsampling)
            Image.open(jpeg).save(os.path.join(folder, "png", stem + ".png"))
        values = []
        for kind in ("jpeg", "png"):
            out = os.path.join(folder, kind + ".json")
            subprocess.run([args.pdd, "eval", "--pred", os.path.join(folder, kind), "--gt", os.path.join(folder, "truth"), "--crop", str(CROP),
                            "--metrics", ",".join(JPEG_METRICS), "--json", out], check=True, stdout=subprocess.DEVNULL)
            with open(out) as f:
                values.append([row["values"] for row in json.load(f)["files"]])
        worst = [max(abs(a[k] - b[k]) for a, b in zip(*values)) for k in values[0][0]]
        print(f"| {quality} | {subsampling} | " + " | ".join(f"{w:.2g}" for w in worst) + " |", flush=True)


def print_row(name, program, ours, theirs):
    diff = {f: abs(ours[f] - v) for f, v in theirs.items()}
    rel = max(d / abs(theirs[f]) for f, d in diff.items())
    print(f"| {name} | {program} | {max(diff.values()):.1e} | {rel:.1e} | {min(theirs.values()):.4g} to {max(theirs.values()):.4g} |", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--photos", required=True)
    p.add_argument("--pdd", required=True)
    p.add_argument("--weights", required=True, help="folder with the linear heads of LPIPS")
    p.add_argument("--niqe-prior", required=True)
    p.add_argument("--count", type=int, default=10)
    p.add_argument("--size", type=int, nargs=2, default=(540, 400), metavar=("W", "H"))
    p.add_argument("--only", default="", help="compare the metrics whose names start so")
    p.add_argument("--jpeg", action="store_true", help="compare our values of JPEG files with those of the same decoded by Pillow instead")
    args = p.parse_args()
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as root:
        if args.jpeg:
            return jpeg_files(args, root)
        pairs = make_set(photos(args.photos, args.count), tuple(args.size), root)
        refs, flags = references(args, root, pairs)
        print(f"{len(pairs) // 2} photographs, {len(pairs)} results of {args.size[0]}x{args.size[1]}, crop {CROP}; pyiqa {pyiqa.__version__}, "
              f"torch {torch.__version__}\n")
        print("| metric | against | largest difference | relative | range of values |\n|---|---|---:|---:|---|")
        for (name, program), ref in refs.items():
            ours = measured(args, root, name, flags.get(name[:4], []))
            theirs = {os.path.basename(r): ref(r, t) for r, t in pairs}
            print_row(name, program, ours, theirs)
            if name.startswith("niqe") and program.startswith("BasicSR"):
                textured = {f: v for f, v in theirs.items() if flat_share(os.path.join(root, "results", f)) < FLAT}
                print_row(name, f"{program}, the {len(textured)} results with fewer than {FLAT:.0%} flat windows", ours, textured)


if __name__ == "__main__":
    main()
