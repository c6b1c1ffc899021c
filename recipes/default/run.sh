#!/bin/sh
# Trains the built-in model: about 100 minutes on two free cores. A run that was stopped goes on.
#
#   apt-get install mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 plasma-workspace-wallpapers
#   sh recipes/default/run.sh
set -eu
cd "$(dirname "$0")"
pdd=${PDD:-../../build/pdd}

gather() { # the copies of a list, of some sizes, into one folder
	mkdir -p "$3"
	(cd "work/copies/$1" && find . -name "*$2.png") | while read -r f; do
		cp "work/copies/$1/$f" "$3/$(echo "$f" | tr / _ | sed 's/^\._usr_share_//')"
	done
}

# The photographs are shrunk first, so that they are sharp: copies at 1/2 and 1/3 and with a shorter side of 400.
if [ ! -d work/test ]; then
	"$pdd" data prepare photos-train.txt --kind multiscale --out work/copies/train
	"$pdd" data prepare photos-test.txt --kind multiscale --out work/copies/test
	gather train 'T[123]' work/train
	gather test T2 work/test.new
	mv work/test.new work/test
fi
[ -d work/test_bicubic ] || "$pdd" degrade work/test --preset bicubic --targets --out work/test_bicubic
"$pdd" train specialist.yaml
"$pdd" train train.yaml
"$pdd" train finish.yaml
"$pdd" weights mix work/run/model.pth work/finish/model.pth work/default-x4.safetensors --share 0.75 --half
