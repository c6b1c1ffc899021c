package trainlog

import (
	"math"
	"slices"
	"strings"
)

// panel is one plot of a picture of curves.
type panel struct {
	title  string
	unit   string // label of the vertical axis
	lines  []*curve
	lo, hi float64 // range of the vertical axis
	log    bool
	first  int // range of steps
	last   int
}

// curve is a series in a panel.
type curve struct {
	label     string
	points    []point // finite values
	notFinite []int   // steps
	segments  [][]point
	mean      [][]point // running means of segments; nil where values are few or smooth
}

// point is a finite value.
type point struct{ step, value float64 }

// validation is the group whose names have panels of their own, shared by those that differ only in endings.
const validation = "val/"

var endings = []string{"_raw", "_cc"}

// groupOf splits a name into the title of its panel and its label in it.
func groupOf(name string) (title, label string) {
	if strings.HasPrefix(name, validation) {
		title = name
		for again := true; again; {
			again = false
			for _, e := range endings {
				if rest, ok := strings.CutSuffix(title, e); ok && rest != validation {
					title, again = rest, true
				}
			}
		}
		return title, name[len(validation):]
	}
	if i := strings.LastIndexByte(name, '/'); i > 0 && i < len(name)-1 {
		return name[:i], name[i+1:]
	}
	return name, name
}

// group makes the panels, in the order in which names first appear. Series without values have none.
func group(runs []Run) []*panel {
	var panels []*panel
	byTitle := map[string]*panel{}
	for _, r := range runs {
		for _, s := range r.Series {
			if len(s.Values) == 0 {
				continue
			}
			title, label := groupOf(s.Name)
			if len(runs) > 1 {
				title, label = s.Name, r.Name
			}
			p := byTitle[title]
			if p == nil {
				p = &panel{title: title, unit: title[strings.LastIndexByte(title, '/')+1:]}
				byTitle[title] = p
				panels = append(panels, p)
			}
			p.lines = append(p.lines, newCurve(label, s))
		}
	}
	for _, p := range panels {
		p.scale()
	}
	return panels
}

// An axis is logarithmic if no value is below smallest, the smallest normal float32, and the ratio of its ends is at
// least farApart.
const (
	smallest = 0x1p-126
	farApart = 20
)

// scale chooses the axes.
func (p *panel) scale() {
	var values []float64
	p.first, p.last = math.MaxInt, 0
	for _, c := range p.lines {
		for _, pt := range thin(c.points, resolution) {
			values = append(values, pt.value)
		}
		first, last := c.steps()
		p.first, p.last = min(p.first, first), max(p.last, last)
	}
	if p.first == p.last {
		p.first, p.last = p.first-1, p.last+1
	}
	if len(values) == 0 {
		p.hi = 1
		return
	}
	slices.Sort(values)
	p.log = values[0] >= smallest && values[len(values)-1]/values[0] >= farApart
	p.lo, p.hi = p.limits(values)
	p.pad()
}

// limits are the least and the greatest of the sorted values, but for those few, one in a hundred, that would take more
// than half of the panel to show. Running means are always shown.
func (p *panel) limits(values []float64) (lo, hi float64) {
	n := len(values)
	lo, hi = values[n/200], values[n-1-n/200]
	for _, c := range p.lines {
		for _, m := range slices.Concat(c.mean...) {
			lo, hi = min(lo, m.value), max(hi, m.value)
		}
	}
	if all := p.extent(values[0], values[n-1]); p.extent(lo, hi) > all/2 {
		return values[0], values[n-1]
	}
	return lo, hi
}

// extent is the length of a piece of the vertical axis.
func (p *panel) extent(lo, hi float64) float64 {
	if p.log {
		return math.Log(hi / lo)
	}
	return hi - lo
}

// pad leaves some room above and below the values.
func (p *panel) pad() {
	const room = 0.04
	if p.log {
		f := math.Pow(p.hi/p.lo, room)
		p.lo, p.hi = p.lo/f, p.hi*f
		return
	}
	size := max(math.Abs(p.lo), math.Abs(p.hi))
	d := max((p.hi-p.lo)*room, 1e-3*size) // enough for labels of six digits to differ
	if p.lo == p.hi {
		d = 0.1 * size
	}
	if d == 0 {
		d = 1
	}
	p.lo, p.hi = p.lo-d, p.hi+d
}

// newCurve sorts the values of a series into finite ones and others. What a float32 cannot hold counts as infinite.
func newCurve(label string, s Series) *curve {
	c := &curve{label: label}
	var segment []point
	for i, v := range s.Values {
		if math.Abs(v) <= math.MaxFloat32 {
			segment = append(segment, point{float64(s.Steps[i]), v})
			continue
		}
		c.notFinite = append(c.notFinite, s.Steps[i])
		c.cut(segment)
		segment = nil
	}
	c.cut(segment)
	if window := len(c.points) / windows; window >= 2 && c.noisy() {
		for _, s := range c.segments {
			c.mean = append(c.mean, runningMean(s, window, resolution))
		}
	}
	return c
}

// windows is how many windows of the running mean a curve has; with fewer than two points in each there is no mean.
// resolution is how many points a curve is drawn with, at least.
const (
	windows    = 40
	resolution = 300
)

// noisy tells whether the curve turns so often that a mean is easier to see: a learning rate is not noisy.
func (c *curve) noisy() bool {
	turns, rising := 0, 0.0
	for i := range c.points[1:] {
		d := c.points[i+1].value - c.points[i].value
		if d*rising < 0 {
			turns++
		}
		if d != 0 {
			rising = d
		}
	}
	return turns > len(c.points)/10
}

// cut ends a segment.
func (c *curve) cut(segment []point) {
	if len(segment) > 0 {
		c.segments = append(c.segments, segment)
		c.points = append(c.points, segment...)
	}
}

// steps are the first and the last step.
func (c *curve) steps() (first, last int) {
	first, last = math.MaxInt, 0
	if n := len(c.points); n > 0 {
		first, last = int(c.points[0].step), int(c.points[n-1].step)
	}
	if n := len(c.notFinite); n > 0 {
		first, last = min(first, c.notFinite[0]), max(last, c.notFinite[n-1])
	}
	return first, last
}

// runningMean is the mean over window points around a point; at the ends over those that are there. It is taken at about
// n points.
func runningMean(s []point, window, n int) []point {
	var mean []point
	for i := 0; i < len(s); i += max(1, len(s)/n) {
		sum, near := 0.0, s[max(0, i-window/2):min(len(s), i+window/2+1)]
		for _, p := range near {
			sum += p.value
		}
		mean = append(mean, point{s[i].step, sum / float64(len(near))})
	}
	return mean
}

// thin keeps the least and the greatest value of each of n parts, in order: as many points as a picture can show.
func thin(s []point, n int) []point {
	if len(s) <= 2*n {
		return s
	}
	var kept []point
	for i := range n {
		part := s[i*len(s)/n : (i+1)*len(s)/n]
		lo, hi := 0, 0
		for j, p := range part {
			if p.value < part[lo].value {
				lo = j
			}
			if p.value > part[hi].value {
				hi = j
			}
		}
		kept = append(kept, part[min(lo, hi)])
		if lo != hi {
			kept = append(kept, part[max(lo, hi)])
		}
	}
	return kept
}
