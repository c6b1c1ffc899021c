# Two commands do everything on a fresh Debian 12 with Go, g++ and make:
#
#	make example    upscale a real photograph with the built-in model, then adapt the model to a camera
#	make test       run all tests
#
# Both prepare the machine first (third_party/setup.sh, idempotent). LIBTORCH=/folder chooses another libtorch, e.g.
# make test LIBTORCH=$(python3 -c 'import torch, os; print(os.path.dirname(torch.__file__))')
SHELL := /bin/bash
export LIBTORCH

# Runs a command with the chosen libtorch. On Debian's the environment is empty and plain go commands work too.
WITH_LIBTORCH = env="$$(third_party/setup.sh --env)" && eval "$$env" &&

.PHONY: setup example test
setup:
	third_party/setup.sh

example:
	@$(WITH_LIBTORCH) go build -o build/ ./cmd/pdd ./cmd/example && \
	build/example --in "$$(go list -m -f '{{.Dir}}' golang.org/x/image)/testdata/go-turns-two-280x360.jpeg"

test:
	@$(WITH_LIBTORCH) go build -o build/ ./cmd/pdd && \
	build/pdd weights get realesrgan-x4plus && build/pdd weights get realesr-animevideov3 && \
	GOPDD_REQUIRE_WEIGHTS=1 go test ./...
