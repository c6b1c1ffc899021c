# Makes the fixtures of niqe_test.go and nrqm_test.go with numpy 2.4.6 and scipy 1.17.1: one made-up prior in the two
# published forms, and models that a reader must refuse.
import os
import numpy as np
import scipy.io

here = os.path.dirname(os.path.abspath(__file__))
mean = np.arange(36.0)[None] / 8
cov = np.diag(np.arange(1.0, 37)) + 0.25
np.savez_compressed(os.path.join(here, "prior.npz"), mu_pris_param=mean, cov_pris_param=np.asfortranarray(cov))
scipy.io.savemat(os.path.join(here, "prior.mat"), {"mu_prisparam": mean, "cov_prisparam": cov}, do_compression=True)


def model(name, left=2, feature=1, trees=1, fields=7, linear=4, types=(float, float, float), unused=0):
    """Three forests of trees with a root and two leaves; a tree predicts 1 where feature 1 is at most 0, else 2.
    Children and features have a type per forest; unused rows of zeros follow, as in published models."""
    def forest(kind):
        def column(*v, kind=float):
            return np.tile(np.array(v + (0,) * unused, dtype=kind)[:, None], (1, trees))
        columns = [column(left, 0, 0, kind=kind), column(3, 0, 0, kind=kind), column(1, -1, -1), column(3, 3, 3),
                   column(0, 0, 0), column(0, 1, 2), column(feature, 0, 0, kind=kind)][:fields]
        return {f"f{i}": c for i, c in enumerate(columns)}
    rf = np.empty((1, 3), dtype=object)
    for i in range(3):
        rf[0, i] = forest(types[i])
    content = {"linear": np.arange(1.0, linear + 1)[:, None], "rf": rf}
    scipy.io.savemat(os.path.join(here, name), {"model": content}, do_compression=True)


model("nrqm_good.mat", trees=2)
model("nrqm_signed.mat", trees=3, unused=5, types=(np.int8, np.int32, np.int64))
model("nrqm_unsigned.mat", trees=3, unused=5, types=(np.uint8, np.uint16, np.uint32))
model("nrqm_single.mat", trees=3, unused=5, types=(np.float32, np.uint64, np.int16))
model("nrqm_cycle.mat", left=1)
model("nrqm_outside.mat", left=9)
model("nrqm_feature.mat", feature=19)
model("nrqm_fields.mat", fields=5)
model("nrqm_linear.mat", linear=3)
