//go:build !cgo

package libtorch

// The compiler's complaint about this name is the message.
const _ = this_package_calls_libtorch__build_with_CGO_ENABLED_1_and_a_C_compiler__see_third_party_setup_sh
