#!/usr/bin/env bash
# Compares a training step of gopdd with PyTorch's, interleaved:
#
#	bench/step.sh [ROUNDS [STEPS [PROGRAM...]]]
#
# PROGRAMs are test programs of this package (go test -c -o PROGRAM ./bench), one for each libtorch; the default builds
# one. $PYTHON is a python with torch; $TORCH_MODES and $PRECISIONS choose what runs. Prints each run (seconds a step,
# seconds of processor time a step, MiB that resident memory rose or, on the CUDA device that $GOPDD_DEVICE names, MiB of
# tensors as each side counts them), then their medians over the rounds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

rounds=${1:-3} steps=${2:-5}
case ${GOPDD_DEVICE:-cpu} in cuda*) memory=tensors-MiB ;; *) memory=resident-MiB ;; esac
shift $(($# < 2 ? $# : 2))
python=${PYTHON:-python3}
if [ $# = 0 ]; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	go test -c -o "$tmp/gopdd.test" .
	set -- "$tmp/gopdd.test"
fi

torch() { # mode
	"$python" step_torch.py "$1" "$steps" "${GOPDD_BENCH_BATCH:-2}" "${GOPDD_BENCH_PATCH:-24}" |
		sed -E "s|^.* median ([0-9.]+) s.* processor ([0-9.]+) s.* memory ([0-9]+) MiB.*|torch-$1 \1 \2 \3|"
}

ours() { # program, precision
	"$1" -test.run NONE -test.bench "Step/$2" -test.benchtime "${steps}x" | awk -v name="$(basename "$1" .test)-$2" -v memory="$memory" '
		/s\/step/ {for (i = 2; i <= NF; i++) v[$(i)] = $(i-1); print name, v["s/step"], v["cpu-s/step"], v[memory]}'
}

for _ in $(seq "$rounds"); do
	for mode in ${TORCH_MODES:-float32 float32-channels-last bfloat16-channels-last}; do torch "$mode"; done
	for program; do
		for precision in ${PRECISIONS:-float32 bfloat16}; do ours "$program" "$precision"; done
	done
done | tee /dev/stderr | python3 -c '
import statistics, sys
runs = {}
for line in sys.stdin:
    name, *values = line.split()
    runs.setdefault(name, []).append([float(v) for v in values])
for name, rows in sorted(runs.items()):
    seconds, processor, mib = (statistics.median(c) for c in zip(*rows))
    print(f"{name:32} {seconds:7.3f} s {processor:7.3f} s of processors {mib:6.0f} MiB, median of {len(rows)}")'
