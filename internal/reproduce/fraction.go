package reproduce

import "math"

// Count scales a number of steps or pictures by a fraction, to at least least and at most n.
func Count(n int, fraction float64, least int) int {
	return min(n, max(least, int(math.Round(float64(n)*fraction))))
}

// Spread picks a fraction of list, evenly spread, at least one unless list is empty.
func Spread[T any](list []T, fraction float64) []T {
	n := Count(len(list), fraction, 1)
	picked := make([]T, n)
	for i := range picked {
		picked[i] = list[i*len(list)/n]
	}
	return picked
}
