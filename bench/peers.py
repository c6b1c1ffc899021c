"""Runs peers and pdd on the same forward passes, interleaved round by round, and prints a table in Markdown.

    python3 peers.py [--rounds N] [--runs N] [--engines LIST] NAME:WxH,WxH...

NAME is a network of pdd's catalogue that `pdd weights get` has fetched. Seconds are medians over the rounds of each
process's median; the factor beside them is how many times pdd's seconds that is. Every engine runs in a process of its
own with all cores, after one pass that is not counted. Commands come from the environment, so that peers may live in
different virtual environments: $PDD (pdd), $TORCH_PYTHON (torch, spandrel, onnx), $PEERS_PYTHON (openvino,
onnxruntime, ncnn); both pythons are python3 unless set. $PREFIX goes in front of each command that is measured.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

ENGINES = ["pdd-auto", "pdd-float32", "pdd-bfloat16", "torch-float32", "torch-bfloat16", "openvino-float32", "openvino-bfloat16",
           "onnxruntime-float32", "ncnn-float32", "ncnn-bfloat16"]
PREFIX = shlex.split(os.environ.get("PREFIX", ""))
PDD = shlex.split(os.environ.get("PDD", "pdd"))
TORCH = shlex.split(os.environ.get("TORCH_PYTHON", "python3"))
PEERS = shlex.split(os.environ.get("PEERS_PYTHON", "python3"))
THREADS = len(os.sched_getaffinity(0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="+", metavar="NAME:WxH,WxH")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engines", default=",".join(ENGINES))
    args = parser.parse_args()
    engines = args.engines.split(",")
    work = [(name, [tuple(map(int, s.split("x"))) for s in sizes.split(",")]) for name, sizes in (w.split(":") for w in args.work)]
    with tempfile.TemporaryDirectory() as tmp:
        for name, _ in work:
            prepare(tmp, name)
        seconds = measure(tmp, work, engines, args.rounds, args.runs)
    print_table(work, engines, seconds)


def prepare(tmp, name):
    """Makes NAME.pth and NAME.onnx of the catalogue's files."""
    subprocess.run([*PDD, "weights", "convert", name, f"{tmp}/{name}.pth"], check=True, stdout=sys.stderr)
    subprocess.run([*TORCH, __file__, "export", f"{tmp}/{name}"], check=True, stdout=sys.stderr)


def measure(tmp, work, engines, rounds, runs):
    """{(engine, name, size): [median seconds of each round]}"""
    seconds = {}
    for _ in range(rounds):
        for name, sizes in work:
            for size in sizes:
                for engine in engines:
                    median = run(tmp, engine, name, size, runs)
                    seconds.setdefault((engine, name, size), []).append(median)
                    print(f"{engine} {name} {size[0]}x{size[1]} {median:.4f}", file=sys.stderr, flush=True)
    return seconds


def run(tmp, engine, name, size, runs):
    kind, precision = engine.split("-")
    if kind == "pdd":
        out = subprocess.run([*PREFIX, *PDD, "bench", "--json", "--weights", name, "--precision", precision, "--size", f"{size[0]}x{size[1]}",
                              "--runs", str(runs)], check=True, capture_output=True, text=True).stdout
        return json.loads(out)["forward"][0]["median_s"]
    out = subprocess.run([*PREFIX, *python(engine), __file__, "time", engine, weights(tmp, engine, name), str(size[1]), str(size[0]),
                          str(runs)], check=True, capture_output=True, text=True).stdout
    return float(out.split()[-1])


def python(engine):
    return TORCH if engine.startswith("torch") else PEERS


def weights(tmp, engine, name):
    """The path of an engine's files without their extension."""
    return catalogue(name) if engine.startswith("ncnn") else f"{tmp}/{name}"


def catalogue(name):
    """The path of the catalogue's ncnn files without their extension."""
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")) + "/gopdd/weights/"
    for path in [cache + name, cache + name + "-x4"]:
        if os.path.exists(path + ".param"):
            return path
    sys.exit(f"{name} is not in {cache}: run pdd weights get {name}")


def print_table(work, engines, seconds):
    columns = [(name, size) for name, sizes in work for size in sizes]
    print("| seconds (times pdd's) | " + " | ".join(f"{name} {w}×{h}" for name, (w, h) in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for engine in engines:
        cells = []
        for column in columns:
            median = statistics.median(seconds[engine, *column])
            ours = statistics.median(seconds[engines[0], *column])
            cells.append(f"{median:.3f} ({median / ours:.2f})")
        print(f"| {engine.replace('-', ', ')} | " + " | ".join(cells) + " |")


def network(path):
    import torch
    from spandrel import ModelLoader
    torch.set_num_threads(THREADS)
    return ModelLoader().load_from_file(path + ".pth").model.eval()


def export(path):
    import torch
    axes = {2: "height", 3: "width"}
    torch.onnx.export(network(path), torch.rand(1, 3, 64, 64), path + ".onnx", dynamo=False, input_names=["x"], output_names=["y"],
                      dynamic_axes={"x": axes})


def torch_engine(path, precision, h, w):
    import torch
    dtype = getattr(torch, precision)
    net = network(path).to(dtype).to(memory_format=torch.channels_last)

    def forward(x):
        with torch.inference_mode():
            return net(torch.from_numpy(x).to(dtype).to(memory_format=torch.channels_last)).float().numpy()
    return forward


def openvino_engine(path, precision, h, w):
    import openvino
    core = openvino.Core()
    model = core.read_model(path + ".onnx")
    model.reshape([1, 3, h, w])
    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": THREADS,
                                                 "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    return lambda x: request.infer({0: x})[0]


def onnxruntime_engine(path, precision, h, w):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_free_dimension_override_by_name("height", h)
    options.add_free_dimension_override_by_name("width", w)
    session = onnxruntime.InferenceSession(path + ".onnx", options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def ncnn_engine(path, precision, h, w):
    import ncnn
    import numpy
    net = ncnn.Net()
    net.opt.num_threads = THREADS
    net.opt.use_bf16_storage = precision == "bfloat16"
    net.load_param(path + ".param")
    net.load_model(path + ".bin")

    def forward(x):
        extractor = net.create_extractor()
        extractor.input("data", ncnn.Mat(x[0]))
        code, y = extractor.extract("output")
        assert code == 0, code
        return numpy.array(y)[None]
    return forward


def load(engine, path, h, w):
    """A function from x [1,3,h,w] to y [1,3,4h,4w], both float32."""
    kind, precision = engine.split("-")
    make = {"torch": torch_engine, "openvino": openvino_engine, "onnxruntime": onnxruntime_engine, "ncnn": ncnn_engine}[kind]
    return make(path, precision, h, w)


def time_passes(engine, path, h, w, runs):
    import numpy
    forward, x = load(engine, path, h, w), numpy.random.rand(1, 3, h, w).astype(numpy.float32)
    assert forward(x).shape == (1, 3, 4 * h, 4 * w)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        forward(x)
        seconds.append(time.perf_counter() - start)
    print(statistics.median(seconds))


if __name__ == "__main__":
    if sys.argv[1:2] == ["export"]:
        export(sys.argv[2])
    elif sys.argv[1:2] == ["time"]:
        time_passes(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7]))
    else:
        main()
