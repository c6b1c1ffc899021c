package data

import "testing"

// One patch of 192 pixels with its margin, per preset: what a loader's worker does after decoding.
func BenchmarkDegradePatch(b *testing.B) {
	hr := smooth(224, 224)
	for _, name := range Presets {
		d := must(Preset(name, 4))
		b.Run(name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				if _, _, err := d.Draw(Rand(1, 0, i)).Apply(hr); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
