#!/bin/sh
# The training runs of docs/RESULTS.md: every method from one start, for the same number of small steps on a CPU.
#
#   sh bench/results/run.sh PHOTOS OUT [WEIGHTS [STEPS [METHOD …]]]
#
# PHOTOS is made by bench/loader/photos.py. A run that was stopped goes on.
set -eu
photos=$1
out=$2
weights=${3:-realesr-animevideov3}
steps=${4:-400}
[ $# -gt 4 ] && shift 4 && methods=$* || methods="ema single-fixed naive supervised"
here=$(dirname "$0")
pdd=${PDD:-build/pdd}

if [ ! -d "$out/target" ]; then
	${PYTHON:-python3} "$here/photos.py" "$photos" "$out"
	"$pdd" degrade "$out/val_hr" --out "$out/val_lr" --config "$here/camera.yaml" --seed 1
	"$pdd" degrade "$out/target_hr" --out "$out/target" --config "$here/camera.yaml" --seed 2
fi
for method in $methods; do
	case $method in
	supervised) own="--set loss.l1=0 --set loss.wavelet.weight=0.5 --set loss.perceptual.weight=1 --set loss.gan.weight=0.01" ;;
	*) own="--target $out/target/LR" ;;
	esac
	"$pdd" train --preset $method --weights "$weights" --hr "$out/hr" --out "$out/$(basename "$weights")-$method" --steps "$steps" $own \
		--set data.patch=16 --set data.batch=2 --set features.random=true \
		--set warmup.discriminator=20 --set ema_decay=0.99 --set "optimizer.milestones=[]" \
		--set validation.lr="$out/val_lr/LR" --set validation.hr="$out/val_hr" --set validation.every=100 \
		--set output.save_every=100 --set output.log_every=20 ${EXTRA:-}
done
