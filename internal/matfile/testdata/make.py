# Makes the fixtures of matfile_test.go: kinds.mat (save -v7) and kinds_v6.mat, with scipy 1.17.1.
import os
import numpy as np
import scipy.io

here = os.path.dirname(os.path.abspath(__file__))
cell = np.empty((1, 3), dtype=object)
cell[0, 0], cell[0, 1], cell[0, 2] = np.array([[1.5, 2.5]]), "abc", np.zeros((0, 0))
values = {
    "double": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    "single": np.array([[0.5, -0.25]], dtype=np.float32),
    "int16": np.array([[-3], [300]], dtype=np.int16),
    "uint8": np.arange(9, dtype=np.uint8).reshape(3, 3),
    "int64": np.array([[-(2**40)]], dtype=np.int64),
    "logical": np.array([[True, False]]),
    "text": "hello",
    "complex": np.array([[1 + 2j]]),
    "cell": cell,
    "struct": {"x": np.array([[7.0]]), "inner": {"y": np.array([[8.0]])}},
    "cube": np.arange(24.0).reshape(2, 3, 4),
}
scipy.io.savemat(os.path.join(here, "kinds.mat"), values, do_compression=True)
scipy.io.savemat(os.path.join(here, "kinds_v6.mat"), values, do_compression=False)
