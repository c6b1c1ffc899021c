#!/bin/sh
# Measures the built-in model beside interpolation and Real-ESRGAN's networks on the test photographs, after run.sh:
#
#   build/pdd weights get realesr-animevideov3 realesrgan-x4plus
#   sh recipes/default/evaluate.sh [MODEL]      # a weight file in place of the built-in model
#
# LR is made by bicubic shrinking, by a soft noisy camera and by a phone's JPEG. Tables, sheets and results are in
# work/compare; the times are of a picture of 853×533 pixels.
set -eu
cd "$(dirname "$0")"
pdd=${PDD:-../../build/pdd}
model=${1:-default}
for set in bicubic camera phone; do # run.sh has made the first
	[ -d work/test_$set ] || "$pdd" degrade work/test --config $set.yaml --seed 3 --targets --out work/test_$set
	"$pdd" compare --lr work/test_$set/LR --gt work/test_$set/HR --out work/compare/$set --crop 4 --crops 6 --crop-size 128 --no-figures \
		--system bicubic --system lanczos --system built-in="$model" --system realesr-animevideov3 --system realesrgan-x4plus
done
for name in "$model" realesr-animevideov3 realesrgan-x4plus; do
	"$pdd" upscale work/test/*EveningGlow*.png --out work/time.png --overwrite --weights "$name" --json | grep -E '"(seconds|network)"'
done
