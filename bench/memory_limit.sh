#!/bin/sh
# Peak resident memory of `pdd upscale` under three limits, beside the limit. Usage: memory_limit.sh PDD WEIGHTS PHOTO
# GNU time (Debian: apt-get install time) measures the whole process.
set -eu
pdd=$1 weights=$2 photo=$3
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for limit in 768MiB 1GiB 2GiB; do
	/usr/bin/time -f '%M %e' "$pdd" upscale "$photo" --out "$out/$limit.png" --weights "$weights" --memory-limit "$limit" 2>"$out/time"
	tail -n 1 "$out/time" | awk -v limit="$limit" '{printf "limit %s: peak %d MiB, %.1f s\n", limit, $1 / 1024, $2}'
done
