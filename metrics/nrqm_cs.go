package metrics

// contrastStructures are the means of SSIM's contrast-structure factor, for values in 0..255 and not below 0, between
// planes of equal size: the second factor of [SSIM], smoothing every plane once however many pairs it is in.
func contrastStructures(planes []plane, pairs [][2]int) []float64 {
	w, h := planes[0].w-windowSize+1, planes[0].h-windowSize+1
	across, down := ceilDiv(w, csWidth), ceilDiv(h, csHeight)
	tiles := make([][]float64, across*down)
	parallel(len(tiles), func() func(int) {
		c := newCSWorker(planes, pairs)
		return func(i int) {
			x, y := i%across*csWidth, i/across*csHeight
			tiles[i] = c.run(x, y, min(w-x, csWidth), min(h-y, csHeight))
		}
	})
	cs := make([]float64, len(pairs))
	for k := range cs {
		for _, tile := range tiles {
			cs[k] += tile[k]
		}
		cs[k] /= float64(w * h)
	}
	return cs
}

// The work is cut into tiles of these sides, narrow because a tile has up to 38 maps.
const csWidth, csHeight = 64, 256

// csWorker has the scratch memory of one goroutine: of each plane the smoothed values and squares, of each pair the
// smoothed product, as the last 11 rows and as one row of windows.
type csWorker struct {
	planes             []plane
	pairs              [][2]int
	meanRing, powRing  []ring
	crossRing          []ring
	mean, power        [][]float64
	cross, productLine []float64
}

func newCSWorker(planes []plane, pairs [][2]int) *csWorker {
	return &csWorker{
		planes: planes, pairs: pairs,
		meanRing: newRings(len(planes)), powRing: newRings(len(planes)), crossRing: newRings(len(pairs)),
		mean: makeRows(len(planes), csWidth), power: makeRows(len(planes), csWidth),
		cross: make([]float64, csWidth), productLine: make([]float64, csWidth+windowSize-1),
	}
}

func newRings(n int) []ring {
	rings := make([]ring, n)
	for i := range rings {
		copy(rings[i][:], makeRows(windowSize, csWidth))
	}
	return rings
}

// run sums over the w×h windows whose top left corners start at (x, y), for each pair.
func (c *csWorker) run(x, y, w, h int) []float64 {
	sums := make([]float64, len(c.pairs))
	for dy := range h + windowSize - 1 {
		c.push(x, y+dy, dy%windowSize, w)
		if dy >= windowSize-1 {
			c.windows((dy+1)%windowSize, w, sums)
		}
	}
	return sums
}

// push smooths a row of all maps along x into a slot of the rings.
func (c *csWorker) push(x, y, slot, w int) {
	line := func(i int) []float64 { return c.planes[i].row(y)[x : x+w+windowSize-1] }
	product := c.productLine[:w+windowSize-1]
	for i := range c.planes {
		smoothRow(c.meanRing[i][slot][:w], line(i))
		multiply(product, line(i), line(i))
		smoothRow(c.powRing[i][slot][:w], product)
	}
	for k, pair := range c.pairs {
		multiply(product, line(pair[0]), line(pair[1]))
		smoothRow(c.crossRing[k][slot][:w], product)
	}
}

// windows adds one row of windows to the sums. What is kept as power is the variance.
func (c *csWorker) windows(first, w int, sums []float64) {
	for i := range c.planes {
		mean, power := c.mean[i][:w], c.power[i][:w]
		c.meanRing[i].smoothColumns(mean, first)
		c.powRing[i].smoothColumns(power, first)
		for x, m := range mean {
			power[x] -= m * m
		}
	}
	cross := c.cross[:w]
	for k, pair := range c.pairs {
		c.crossRing[k].smoothColumns(cross, first)
		a, b := c.mean[pair[0]][:w], c.mean[pair[1]][:w]
		va, vb := c.power[pair[0]][:w], c.power[pair[1]][:w]
		s := 0.0
		for x, product := range cross {
			if covariance := 2*(product-a[x]*b[x]) + ssimC2; covariance > 0 {
				s += covariance / (va[x] + vb[x] + ssimC2)
			}
		}
		sums[k] += s
	}
}

func multiply(dst, a, b []float64) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i, v := range a {
		dst[i] = v * b[i]
	}
}
