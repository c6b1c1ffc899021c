"""Upscales photos from file to file by pdd and its peers, interleaved, and prints wall seconds and peak resident memory.

    python3 files.py [--engines LIST] NAME:MEGAPIXELS,... PHOTO...

NAME is a network of pdd's catalogue that `pdd weights get` has fetched, MEGAPIXELS the sizes of the results. Each photo
is one round; its middle is cut square and shrunk. Peers read and write with Pillow (PNG at compression level 1) and
run tiles of 384 pixels with 16 more on each side, like Real-ESRGAN's script. GNU time (Debian: apt-get install time)
measures whole processes. See peers.py for the environment; $TORCH_PYTHON and $PEERS_PYTHON need pillow too.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile

import peers

ENGINES = ["pdd-auto", "torch-float32", "torch-bfloat16", "openvino-float32", "openvino-bfloat16", "ncnn-float32", "ncnn-bfloat16"]
TILE, PAD = 384, 16


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", metavar="NAME:MEGAPIXELS,...")
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--engines", default=",".join(ENGINES))
    args = parser.parse_args()
    name, sizes = args.work.split(":")
    engines, runs = args.engines.split(","), {}
    with tempfile.TemporaryDirectory() as tmp:
        peers.prepare(tmp, name)
        for photo in args.photos:
            for size in sizes.split(","):
                subprocess.run([*peers.PEERS, __file__, "cut", photo, size, f"{tmp}/in.png"], check=True)
                for engine in engines:
                    result = run(tmp, engine, name)
                    runs.setdefault((engine, size), []).append(result)
                    print(engine, name, size, *result, file=sys.stderr, flush=True)
    print(f"| {name} | " + " | ".join(f"{size} MP" for size in sizes.split(",")) + " |")
    print("|---" * (len(sizes.split(",")) + 1) + "|")
    for engine in engines:
        cells = []
        for size in sizes.split(","):
            seconds, mib = (statistics.median(column) for column in zip(*runs[engine, size]))
            ours = statistics.median(s for s, _ in runs[engines[0], size])
            cells.append(f"{seconds:.2f} s ({seconds / ours:.2f}), {mib:.0f} MiB")
        print(f"| {engine.replace('-', ', ')} | " + " | ".join(cells) + " |")


def run(tmp, engine, name):
    """(seconds, MiB) of a process."""
    if engine.startswith("pdd"):
        command = [*peers.PDD, "upscale", f"{tmp}/in.png", "--out", f"{tmp}/out.png", "--overwrite", "--weights", name,
                   "--precision", engine.split("-")[1]]
    else:
        command = [*peers.python(engine), __file__, "upscale", engine, peers.weights(tmp, engine, name), f"{tmp}/in.png", f"{tmp}/out.png"]
    subprocess.run([*peers.PREFIX, "time", "-f", "%e %M", "-o", f"{tmp}/time", *command], check=True, stdout=subprocess.DEVNULL)
    with open(f"{tmp}/time") as f:
        seconds, kib = f.read().split()
    return float(seconds), float(kib) / 1024


def cut(photo, megapixels, path):
    from PIL import Image
    image = Image.open(photo).convert("RGB")
    side, small = min(image.size), round(math.sqrt(float(megapixels) * 1e6) / 4)
    x, y = (image.width - side) // 2, (image.height - side) // 2
    image.crop((x, y, x + side, y + side)).resize((small, small), Image.LANCZOS).save(path)


def upscale(engine, path, source, target):
    import numpy
    from PIL import Image
    x = numpy.asarray(Image.open(source), dtype=numpy.float32).transpose(2, 0, 1)[None] / 255
    h, w = x.shape[2:]
    out = numpy.empty((4 * h, 4 * w, 3), numpy.uint8)
    networks = {}  # one for each size of a tile
    for top in range(0, h, TILE):
        for left in range(0, w, TILE):
            y0, y1, x0, x1 = max(top - PAD, 0), min(top + TILE + PAD, h), max(left - PAD, 0), min(left + TILE + PAD, w)
            size = (y1 - y0, x1 - x0)
            if size not in networks:
                networks[size] = peers.load(engine, path, *size)
            tile = networks[size](numpy.ascontiguousarray(x[:, :, y0:y1, x0:x1]))
            rows, columns = min(TILE, h - top), min(TILE, w - left)
            part = tile[0, :, 4 * (top - y0):, 4 * (left - x0):][:, :4 * rows, :4 * columns]
            out[4 * top:4 * (top + rows), 4 * left:4 * (left + columns)] = (part.clip(0, 1) * 255).round().transpose(1, 2, 0)
    Image.fromarray(out).save(target, compress_level=1)


if sys.argv[1:2] == ["cut"]:
    cut(*sys.argv[2:])
elif sys.argv[1:2] == ["upscale"]:
    upscale(*sys.argv[2:])
else:
    main()
