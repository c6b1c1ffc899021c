package tensortest

import (
	"cmp"
	"os"

	"github.com/gopdd/gopdd/tensor"
)

// DeviceName is where tests that can run anywhere run: $GOPDD_DEVICE, e.g. cuda:0, or the CPU.
func DeviceName() string { return cmp.Or(os.Getenv("GOPDD_DEVICE"), tensor.CPU.String()) }

// Device is that of [DeviceName]. It panics where there is none such: tests call it as they begin.
func Device() tensor.Device {
	d, err := tensor.ParseDevice(DeviceName())
	if err != nil {
		panic(err)
	}
	return d
}
