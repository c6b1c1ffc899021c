"""Stand-ins for the weights that no package registry has: LPIPS backbones by formula, and an NRQM model made up in the
structure and size of the published one. metrics_pyiqa.py uses both; as a program it writes the files:

    python bench/metrics_models.py OUT      # the backbones: alexnet.pth, vgg16.pth, squeezenet1_1.pth
"""

import math
import os
import sys

import numpy as np
import scipy.io
import torch
import torchvision

BACKBONES = {"alex": torchvision.models.alexnet, "vgg": torchvision.models.vgg16, "squeeze": torchvision.models.squeezenet1_1}
FILES = {"alex": "alexnet.pth", "vgg": "vgg16.pth", "squeeze": "squeezenet1_1.pth"}


def formula(name, shape, gain):
    """The golden cases' weights by formula (testdata/golden/README.md): splitmix64 of the name's FNV-1a hash."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.arange(math.prod(shape), dtype=np.uint64) + np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) / 2**24
    bound = gain * math.sqrt(3 / math.prod(shape[1:])) if len(shape) > 1 else 0.05
    return torch.from_numpy(((2 * u - 1) * bound).astype(np.float32).reshape(shape))


def backbone(net, prefix="", gain=math.sqrt(2)):
    """The state dict of the feature part of a torchvision network."""
    model = BACKBONES[net](weights=None)
    return {k: formula(prefix + k, tuple(v.shape), gain) for k, v in model.state_dict().items() if k.startswith("features.")}


def write_backbones(folder):
    """Returns {net: path}."""
    paths = {net: os.path.join(folder, FILES[net]) for net in BACKBONES}
    for net, path in paths.items():
        torch.save(backbone(net), path)
    return paths


# The published NRQM model (Ma et al. 2017, train_regression/train_RF_regression.m): forests of 2000 trees on 180*8
# pictures, with the defaults of the MATLAB port of randomForest, whose tables have 2*1440+1 rows per tree and whose
# trees stop at 5 samples. Here are the fields of its structs in their order; 0, 1, 4, 5 and 6 are read.
TREES, SAMPLES, LEAF = 2000, 180 * 8, 5
NODES = 2 * SAMPLES + 1
FIELDS = ("lDau", "rDau", "nodestatus", "nrnodes", "upper", "avnode", "mbest", "ndtree", "ntree")
DISTINCT = 50  # trees grown; the others are theirs with other thresholds and predictions


def grow(rng, samples):
    """A random tree on a bootstrap of samples [n, features]: columns of one tree, children and features from 1."""
    left, right, upper, attribute = (np.zeros(NODES, t) for t in (np.int32, np.int32, np.float64, np.int32))
    members = {0: rng.integers(len(samples), size=len(samples))}
    count = 1
    for k in range(NODES):
        if k >= count:
            break
        rows = members.pop(k)
        if len(rows) <= LEAF:
            continue
        feature = rng.integers(samples.shape[1])
        values = samples[rows, feature]
        threshold = rng.choice(values)
        below = values <= threshold
        if below.all():
            continue
        left[k], right[k], upper[k], attribute[k] = count + 1, count + 2, threshold, feature + 1
        members[count], members[count + 1] = rows[below], rows[~below]
        count += 2
    return left, right, upper, attribute, count


def forest(rng, features):
    """2000 trees for features [pictures, n], which are blended and shaken to as many samples as the model had."""
    weights = rng.dirichlet(np.full(len(features), 0.3), size=SAMPLES)
    samples = weights @ features * (1 + 0.02 * rng.standard_normal((SAMPLES, features.shape[1])))
    table = {f: np.zeros((NODES, TREES), t) for f, t in
             (("lDau", np.int32), ("rDau", np.int32), ("nodestatus", np.int8), ("upper", float), ("avnode", float), ("mbest", np.int32))}
    grown = [grow(rng, samples) for _ in range(DISTINCT)]
    for t in range(TREES):
        left, right, upper, attribute, count = grown[t % DISTINCT]
        table["lDau"][:, t], table["rDau"][:, t], table["mbest"][:, t] = left, right, attribute
        table["upper"][:, t] = upper * (1 + 0.01 * rng.standard_normal(NODES))
        table["avnode"][:count, t] = rng.uniform(0, 10, count)
        table["nodestatus"][:count, t] = np.where(left[:count] > 0, -3, -1)
    table["nrnodes"], table["ntree"] = float(NODES), float(TREES)
    table["ndtree"] = np.array([[grown[t % DISTINCT][4]] for t in range(TREES)], np.int32)
    return {f: table[f] for f in FIELDS}


def write_nrqm(path, groups, seed=1):
    """Writes a model whose thresholds lie among the three groups of features, each [pictures, n]."""
    rng = np.random.default_rng(seed)
    rf = np.empty((1, 3), dtype=object)
    for g, features in enumerate(groups):
        rf[0, g] = forest(rng, features)
    linear = np.array([[-2.0], [0.4], [0.5], [0.5]])
    scipy.io.savemat(path, {"model": {"rf": rf, "linear": linear}}, do_compression=True)


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    write_backbones(sys.argv[1])
