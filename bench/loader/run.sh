#!/bin/sh
# Loader benchmark: batches per second of this project and of PyTorch's DataLoader, in turn, three rounds of each row.
# Needs photos made by photos.py; torch, numpy and cv2 for the second column; two free cores.
#
#   sh bench/loader/run.sh PHOTOS [PYTHON]
set -eu
photos=$1
python=${2:-python3}
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/loader" "$here"
go run "$here/../../cmd/pdd" data prepare "$photos/png" --out "$work/hr" --kind subimages >/dev/null
go run "$here/../../cmd/pdd" data prepare "$photos/jpg" --out "$work/lr" --kind subimages >/dev/null

row() { # title, HR folder, LR folder, preset, cache in MiB, warm-up, batches
	title=$1
	shift
	flags="--hr $1 --lr $2 --preset $3 --cache $4 --warm $5 --batches $6"
	for round in 1 2 3; do
		ours=$("$work/loader" $flags)
		theirs=$("$python" "$here/loader.py" $flags)
		echo "$title | $3 | $ours | $theirs | $(awk "BEGIN { printf \"%.2f\", $ours / $theirs }")"
	done
}

echo "row | degradation | this project, batches/s | DataLoader, batches/s | ratio"
for preset in bicubic realesrgan; do
	row "cold files, no cache" "$photos/png" "$photos/jpg" $preset 0 2 20
	row "512 MiB cache" "$photos/png" "$photos/jpg" $preset 512 12 100
	row "prepared sub-images" "$work/hr" "$work/lr" $preset 0 2 60
done
