#!/bin/sh
# Runs pdd reproduce from end to end on stand-in data: a row of every table and figure, a few steps each.
#
#     apt-get install mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
#     pip install numpy opencv-python-headless
#     go build -o build/ ./cmd/pdd && build/pdd weights get realesr-animevideov3 realesrgan-x4plus
#     python3 bench/loader/photos.py photos
#     sh bench/reproduce/standin.sh photos/png out
set -e
photos=$1 out=$2 pdd=${PDD:-build/pdd} python=${PYTHON:-python3}
here=$(dirname "$0")
[ -d "$out/sets" ] || "$python" "$here/standin.py" "$photos" "$out/sets" --pdd "$pdd"

# Small networks stand in for the published ones: x4plus takes a minute per step on two cores.
model=$here/../../internal/builtin/default-x4.safetensors
"$pdd" reproduce --datasets "$out/sets" --weights "$out/sets/weights" --out "$out/trial" \
    --fraction ${FRACTION:-0.00002} --features random --set data.patch=16 --set data.batch=2 \
    --stand-in realesrgan-x4plus=realesr-animevideov3 --stand-in bsrgan="$model" --stand-in esrgan="$model" \
    --rows "dan@realsr-canon,bsrgan@realsr-canon,bsrgan+ours@realsr-canon,realesrgan@*,realesrgan+ours@realsr-canon,realesrgan+ours@drealsr-panasonic,realesrgan+ours@ntire2020,esrgan+static@realsr-canon,\
realesrgan+naive@realsr-canon,realesrgan+single-fixed@realsr-canon,realesrgan+inter@realsr-canon,realesrgan+ratio-4-1@realsr-canon,\
realesrgan+ds-bicubic_blur@realsr-canon"

# The published Real-ESRGAN x4plus itself, which is not trained here.
"$pdd" reproduce --datasets "$out/sets" --weights "${WEIGHTS:-$HOME/.cache/gopdd/weights}" --out "$out/x4plus" \
    --rows realesrgan@realsr-canon
