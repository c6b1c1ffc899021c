#!/bin/sh
# Adapts a compact generalist to three target domains by the paper's methods, a few hundred small steps each, on
# photographs that recipes/default/run.sh prepared. docs/RESULTS.md has the outcome. A run that was stopped goes on.
#
#   sh recipes/adapt/run.sh [DOMAIN …]        # camera phone video
#
# $METHODS chooses methods, $STEPS their steps; $NIQE is the file of NIQE's prior, if NIQE is to be measured too,
# $FEATURES a VGG19 in place of ours.
set -eu
cd "$(dirname "$0")"
pdd=${PDD:-../../build/pdd}
steps=${STEPS:-300}
prepared=../default/work
specialist=../weights/specialist-x4.safetensors # for bicubic LR
generalist=../weights/generalist-x4.safetensors # the built-in model before its last leg
features=${FEATURES:-../weights/features-vgg19.safetensors} # of recipes/features
metrics=psnr_y_bt601,ssim_y_bt601,sharpness${NIQE:+,niqe_y_yiq}

# Photographs of the target domains, seen as LR alone; the other training photographs are the labelled ones. Test
# photographs are those of the built-in model, copies with a shorter side of 400 pixels.
target="Blinds TwoWings Kleiber Picture_1A aitzgorri free_by greentock BytheWater Path"
if [ ! -d work/labelled ]; then
	mkdir -p work/target work/test work/new
	cp $prepared/train/*T[23].png work/new
	for name in $target; do mv work/new/*"$name"*T3.png work/target; rm work/new/*"$name"*; done
	for f in $(find $prepared/copies/test -name '*T3.png'); do
		cp "$f" "work/test/$(echo "${f#"$prepared"/copies/test/}" | tr / _)"
	done
	mv work/new work/labelled
fi
domains=${*:-camera phone video}
for domain in $domains; do
	for set in target test; do
		[ -d "work/$domain/$set" ] || "$pdd" degrade work/$set --config "$domain.yaml" --seed 1 --targets --out "work/$domain/$set"
	done
	for method in ${METHODS:-ema single-fixed naive static}; do
		case $method in
		static) start="--weights $specialist --set generalist.weights=$generalist" ;;
		*) start="--weights $generalist" ;;
		esac
		"$pdd" train --preset "$method" $start --hr work/labelled --target "work/$domain/target/LR" --out "work/$domain/$method" \
			--steps "$steps" --set data.patch=16 --set data.batch=2 --set features.weights="$features" \
			--set warmup.discriminator=20 --set ema_decay=0.99 --set "optimizer.milestones=[]" \
			--set validation.lr="work/$domain/test/LR" --set validation.hr="work/$domain/test/HR" --set validation.every=100 \
			--set output.save_every=300 --set output.log_every=50
	done
	set -- --system bicubic --system generalist=$generalist
	for method in ${METHODS:-ema single-fixed naive static}; do
		set -- "$@" --system "$method=work/$domain/$method/model.pth"
	done
	"$pdd" compare --lr "work/$domain/test/LR" --gt "work/$domain/test/HR" --out "work/$domain/compare" --crop 4 \
		--baseline generalist --metrics "$metrics" ${NIQE:+--niqe-prior "$NIQE"} "$@"
done
