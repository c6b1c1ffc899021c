#!/usr/bin/env bash
# Tests what setup.sh promises, with the libtorch it would choose (or $LIBTORCH):
#   - a module outside this tree that imports package tensor builds with plain `go build`, runs, and maps one libtorch;
#   - without the pkg-config file, and with CGO_ENABLED=0, the build fails with a message that names setup.sh;
#   - pure Go packages build with CGO_ENABLED=0;
#   - setup.sh --check changes nothing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
env=$("$root/third_party/setup.sh" --env)
eval "$env"
fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }
pass() { printf 'ok: %s\n' "$*"; }

cd "$tmp"
cat >main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/gopdd/gopdd/tensor"
)

func main() {
	err := tensor.Do(context.Background(), func(s *tensor.Scope) error {
		x := s.Full(1, tensor.Float32, tensor.CPU, 2, 3)
		fmt.Println("sum", s.Item(s.Sum(x, false)), "libtorch", tensor.Info().RuntimeVersion)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
}
EOF
cp "$root/go.sum" .
sed -e 's,^module .*,module example.com/embedder,' "$root/go.mod" >go.mod
go mod edit -require github.com/gopdd/gopdd@v0.0.0 -replace "github.com/gopdd/gopdd=$root"
go build -o embedder .
said=$(./embedder)
[[ $said == "sum 6 libtorch "* ]] || fail "the embedder said: $said"
mapped=$(ldd embedder | awk '$1 ~ /^libc10\.so/ {print $3}' | sort -u)
[[ $mapped == *libc10* && $mapped != *$'\n'* ]] || fail "not one libc10: $mapped"
pass "a foreign module: $said, $mapped"

cd "$root"
# Another flag is another key of Go's build cache, so cgo runs and asks pkg-config.
if said=$(PKG_CONFIG=pkg-config PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=/nonexistent CGO_CXXFLAGS=-DGOPDD_TEST go build ./internal/libtorch 2>&1); then
	fail "it built without a pkg-config file"
fi
[[ $said == *third_party-setup.sh* ]] || fail "without a pkg-config file: $said"
pass "without a pkg-config file the message names setup.sh"

if said=$(CGO_ENABLED=0 go build ./tensor 2>&1); then fail "tensor built without cgo"; fi
[[ $said == *CGO_ENABLED_1*third_party_setup_sh* ]] || fail "without cgo: $said"
CGO_ENABLED=0 go build ./data/... ./metrics ./internal/imgio ./internal/weightfile
pass "without cgo: pure Go packages build, tensor's message names the way out"

list() { # what setup.sh may write
	{ find /usr/local/lib/libcgotorch.so /usr/local/lib/pkgconfig "${XDG_DATA_HOME:-$HOME/.local/share}/gopdd" "$(go env GOENV)" \
		-printf '%p %s %T@\n' 2>/dev/null || true; } | sort # some of them need not exist
}
before=$(list)
"$root/third_party/setup.sh" --check 2>/dev/null
[ "$before" = "$(list)" ] || fail "--check changed something"
pass "--check changes nothing"
