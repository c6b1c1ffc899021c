#!/bin/sh
# The tables of docs/PERFORMANCE.md beside peers: makes a virtual environment with all of them in the folder $1
# (gigabytes), fetches the weights, and runs peers.py and files.py there. $PDD is the pdd to measure; $2… are photos.
set -eu
here=$(dirname "$0") env=$1
shift
[ -d "$env" ] || python3 -m venv "$env"
"$env/bin/pip" install --quiet torch spandrel onnx openvino onnxruntime ncnn pillow
export TORCH_PYTHON="$env/bin/python" PEERS_PYTHON="$env/bin/python" PDD="${PDD:-pdd}"
for name in realesrgan-x4plus realesr-animevideov3; do $PDD weights get "$name"; done
python3 "$here/peers.py" realesrgan-x4plus:128x128,256x256 realesr-animevideov3:640x360,1280x720
python3 "$here/files.py" realesr-animevideov3:1,4,16 "$@"
python3 "$here/files.py" realesrgan-x4plus:1 "$@"
