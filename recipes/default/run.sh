#!/bin/sh
# Trains the built-in model: about two hours on two cores. A run that was stopped goes on.
#
#   apt-get install mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 plasma-workspace-wallpapers
#   sh recipes/default/run.sh
set -eu
cd "$(dirname "$0")"
pdd=${PDD:-../../build/pdd}

# The photographs are shrunk first, so that they are sharp: copies at 1/2 and 1/3 and with a shorter side of 400.
if [ ! -d work/test ]; then
	"$pdd" data prepare photos-train.txt --kind multiscale --out work/copies/train
	"$pdd" data prepare photos-test.txt --kind multiscale --out work/copies/test
	mkdir -p work/train work/test.new
	for f in $(cd work/copies/train && find . -name '*T[123].png'); do
		cp "work/copies/train/$f" "work/train/$(echo "$f" | tr / _ | sed 's/^\._usr_share_//')"
	done
	for f in $(cd work/copies/test && find . -name '*T2.png'); do
		cp "work/copies/test/$f" "work/test.new/$(echo "$f" | tr / _ | sed 's/^\._usr_share_//')"
	done
	mv work/test.new work/test
fi
[ -d work/test_bicubic ] || "$pdd" degrade work/test --preset bicubic --targets --out work/test_bicubic
"$pdd" train specialist.yaml
"$pdd" train train.yaml
"$pdd" train finish.yaml
