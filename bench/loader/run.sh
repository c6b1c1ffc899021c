#!/bin/sh
# Loader benchmark: this project and PyTorch's DataLoader at the same work, in turn, ROUNDS rounds (5) of each row.
# Prints a table of medians, and each round on stderr: batches per second and milliseconds of processor time per batch,
# ours and theirs. Processor time is what counts where other programs share the cores.
#
# Needs photos made by photos.py; torch, numpy and cv2 for the other side; two free cores. WORK keeps the prepared
# sub-images for a later run; ROWS is one or more of cold, cache, prepared.
#
#   sh bench/loader/run.sh PHOTOS [PYTHON]
set -eu
photos=$1
python=${2:-python3}
rounds=${ROUNDS:-5}
rows=${ROWS:-cold cache prepared}
here=$(cd "$(dirname "$0")" && pwd)
work=${WORK:-$(mktemp -d)}
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
work=$(cd "$work" && pwd)
go build -C "$here" -o "$work/loader" .

prepare() { # makes sub-images of a folder unless they are there
	[ -d "$work/$1" ] && return
	[ -x "$work/pdd" ] || go build -C "$here/../../cmd/pdd" -o "$work/pdd" .
	"$work/pdd" data prepare "$photos/$1" --out "$work/$1.part" --kind subimages >/dev/null
	mv "$work/$1.part" "$work/$1"
}

row() { # title, preset, HR folder, LR folder, cache in MiB, batches before the clock starts, batches
	title=$1 preset=$2
	flags="--preset $2 --hr $3 --lr $4 --cache $5 --warm $6 --batches $7"
	: >"$work/rounds"
	for round in $(seq "$rounds"); do
		echo "$("$work/loader" $flags) $("$python" "$here/loader.py" $flags)" >>"$work/rounds"
		echo "$title $preset $(tail -n 1 "$work/rounds")" >&2
	done
	awk '{ print $1, $3, $1 / $3, $2, $4, $4 / $2 }' "$work/rounds" >"$work/columns"
	printf '| %s | %s |' "$title" "$preset"
	for column in 1 2 3 4 5 6; do
		cut -d ' ' -f $column "$work/columns" | sort -g | awk -v fmt=" %.2f |" '
			{ v[NR] = $1 } END { printf fmt, (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
	done
	echo
}

echo "| row | degradation | batches/s, ours | DataLoader | ratio | CPU ms/batch, ours | DataLoader | ratio |"
echo "|---|---|---|---|---|---|---|---|"
for preset in bicubic realesrgan; do
	for kind in $rows; do
		case $kind in
		cold) row "cold files, no cache" $preset "$photos/png" "$photos/jpg" 0 2 20 ;;
		cache) row "512 MiB cache" $preset "$photos/png" "$photos/jpg" 512 100 $([ $preset = bicubic ] && echo 600 || echo 100) ;;
		prepared)
			prepare png
			prepare jpg
			row "prepared sub-images" $preset "$work/png" "$work/jpg" 0 4 60
			;;
		esac
	done
done
