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

# pdd starts at once, without libtorch, and hands what runs networks over to pdd-native beside it.
BUILD_PDD = CGO_ENABLED=0 go build -o "$(1)/pdd" ./cmd/pdd && go build -o "$(1)/pdd-native" ./cmd/pdd
BIN = $(or $(shell go env GOBIN),$(shell go env GOPATH)/bin)

.PHONY: setup install example test
setup:
	third_party/setup.sh

install:
	@$(WITH_LIBTORCH) $(call BUILD_PDD,$(BIN))

example:
	@$(WITH_LIBTORCH) $(call BUILD_PDD,build) && go build -o build/ ./cmd/example && \
	build/example --in "$$(go list -m -f '{{.Dir}}' golang.org/x/image)/testdata/go-turns-two-280x360.jpeg"

test:
	@$(WITH_LIBTORCH) $(call BUILD_PDD,build) && \
	build/pdd weights get realesrgan-x4plus && build/pdd weights get realesr-animevideov3 && \
	GOPDD_REQUIRE_WEIGHTS=1 go test ./...
