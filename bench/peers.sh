#!/bin/sh
# The forward passes of docs/PERFORMANCE.md: makes one virtual environment with all peers in the folder $1 (gigabytes),
# fetches the weights and runs peers.py in it. $PDD is the pdd to measure.
set -eu
[ -d "$1" ] || python3 -m venv "$1"
"$1/bin/pip" install --quiet torch spandrel onnx openvino onnxruntime ncnn
export TORCH_PYTHON="$1/bin/python" PEERS_PYTHON="$1/bin/python" PDD="${PDD:-pdd}"
for name in realesrgan-x4plus realesr-animevideov3; do $PDD weights get "$name"; done
"$TORCH_PYTHON" "$(dirname "$0")/peers.py" realesrgan-x4plus:128x128,256x256 realesr-animevideov3:640x360,1280x720
