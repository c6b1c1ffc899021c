package pdd

import "testing"

// TestScaler: the scale halves when gradients overflow, never below 1 and not for a loss that is no number, and doubles
// after 2,000 good steps.
func TestScaler(t *testing.T) {
	c := newScaler(Float16)
	step := func(skipped string) (overflow bool) { return c.update(&StepReport{Skipped: skipped}) }
	if step("gradient of body.0.weight is +Inf") != true || c.scale != scalerStart/2 {
		t.Errorf("overflow: scale %v, want %v", c.scale, scalerStart/2)
	}
	if step("loss l1 is NaN") != false || c.scale != scalerStart/2 {
		t.Errorf("a loss that is no number is no overflow: scale %v, want %v", c.scale, scalerStart/2)
	}
	for range 2000 {
		step("")
	}
	if c.scale != scalerStart {
		t.Errorf("after 2,000 good steps: scale %v, want %v", c.scale, scalerStart)
	}
	for range 1999 {
		step("")
	}
	for range 16 {
		step("gradient is NaN")
	}
	if c.scale != 1 {
		t.Errorf("after 16 overflows: scale %v, want 1", c.scale)
	}
	if step("gradient is NaN") != false {
		t.Error("scale 1 overflows: want the step to count as not finite")
	}
	if exact := newScaler(BFloat16); exact.update(&StepReport{Skipped: "gradient is NaN"}) || exact.scale != 1 {
		t.Error("bfloat16 is scaled")
	}
}
