#!/bin/bash
# Four parts at a time on this machine; with --sshlogin also on others that see the same folders.
set -euo pipefail
seq 0 15 | parallel --jobs 4 --retries 3 pdd upscale /shared/photos --recursive --out /shared/large --threads 2 --shard {}/16
