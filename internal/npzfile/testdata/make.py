# Makes kinds.npz of npzfile_test.go with numpy 2.4.6.
import os
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
np.savez_compressed(
    os.path.join(here, "kinds.npz"),
    matrix=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    single=np.array([0.5, -0.25], dtype=np.float32),
    big=np.array([-3, 300], dtype=">i2"),
    int64=np.array([-(2**40)]),
    flags=np.array([True, False]),
    scalar=np.float64(7.5),
    columns=np.asfortranarray(np.arange(12.0).reshape(2, 3, 2)),
    empty=np.zeros((0, 3)),
)
