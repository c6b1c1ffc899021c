package metrics

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gopdd/gopdd/internal/matfile"
)

// NRQMModel is the regression of [NRQM]: a random forest for each of the three groups of features and a linear
// combination of their predictions. It is safe for concurrent reading.
type NRQMModel struct {
	Linear  [4]float64 // weights of 1 and of the three forests' predictions
	Forests [3]Forest
}

// Forest is a regression forest: the mean over its trees.
type Forest struct{ Trees []Tree }

// Tree is a regression tree; node 0 is its root.
type Tree struct{ Nodes []Node }

// Node goes to Left where feature Feature is at most Threshold, else to Right. Children have higher numbers than their
// parent; a child of 0 ends the walk, with this node's Value as the result.
type Node struct {
	Left, Right, Feature int32
	Threshold, Value     float64
}

// LoadNRQMModel reads NRQM_model.mat of the original release (as pyiqa does): variable model with field linear, 4×1,
// and field rf, a 1×3 cell of structs that are read by position: 0 left child, 1 right child, 4 threshold, 5
// prediction, 6 feature, each nodes×trees, children and features counted from 1.
func LoadNRQMModel(path string) (*NRQMModel, error) {
	vars, err := matfile.ReadFile(path, 0)
	if err == nil {
		var m *NRQMModel
		if m, err = newNRQMModel(vars["model"]); err == nil {
			return m, nil
		}
	}
	return nil, fmt.Errorf("metrics: load NRQM model %q: %w", path, err)
}

// featureCounts are the sizes of NRQM's three groups of features.
var featureCounts = [3]int{18, 45, 75}

func newNRQMModel(a *matfile.Array) (*NRQMModel, error) {
	linear, err := a.Field("linear").Float64s()
	if err != nil {
		return nil, fmt.Errorf("model.linear: %w", err)
	}
	rf := a.Field("rf")
	if len(linear) != 4 || rf == nil || rf.Class != matfile.Cell || len(rf.Elems) != 3 {
		return nil, errors.New("want the variable model with linear, 4×1, and rf, a cell of 3")
	}
	m := &NRQMModel{Linear: [4]float64(linear)}
	for g, element := range rf.Elems {
		if m.Forests[g], err = newForest(element, featureCounts[g]); err != nil {
			return nil, fmt.Errorf("model.rf{%d}: %w", g+1, err)
		}
	}
	return m, nil
}

// forestColumns are the fields of a forest, nodes×trees in column-major order.
type forestColumns struct {
	left, right, threshold, value, feature matfile.Samples
	nodes, trees                           int
	features                               int // of a picture
}

func newForest(a *matfile.Array, features int) (Forest, error) {
	if a.Class != matfile.Struct || len(a.Fields) < 7 || len(a.Elems) < 7 {
		return Forest{}, errors.New("want a struct of at least 7 fields")
	}
	dims := a.Elems[0].Dims
	c := forestColumns{nodes: dims[0], trees: dims[1], features: features}
	if c.nodes == 0 || c.trees == 0 {
		return Forest{}, errors.New("no trees")
	}
	for i, dst := range []*matfile.Samples{&c.left, &c.right, &c.threshold, &c.value, &c.feature} {
		field := [...]int{0, 1, 4, 5, 6}[i]
		var err error
		if *dst, err = a.Elems[field].Samples(); err != nil {
			return Forest{}, fmt.Errorf("field %q: %w", a.Fields[field], err)
		}
		if dst.Len() != c.nodes*c.trees {
			return Forest{}, fmt.Errorf("field %q has %d numbers, want %d×%d", a.Fields[field], dst.Len(), c.nodes, c.trees)
		}
	}
	f := Forest{Trees: make([]Tree, c.trees)}
	errs := make([]error, c.trees)
	parallel(c.trees, func() func(int) {
		rows := make([]Node, c.nodes)
		return func(t int) { f.Trees[t], errs[t] = c.tree(t, rows) }
	})
	for t, err := range errs {
		if err != nil {
			return Forest{}, fmt.Errorf("tree %d, %w", t+1, err)
		}
	}
	return f, nil
}

// tree converts tree t. Published tables have as many rows as the largest tree could have had: those at the end that
// no node leads to are left out. rows is scratch memory.
func (c *forestColumns) tree(t int, rows []Node) (Tree, error) {
	last := int32(0)
	for k := range rows {
		var err error
		if rows[k], err = c.node(t*c.nodes+k, k); err != nil {
			return Tree{}, fmt.Errorf("node %d: %w", k+1, err)
		}
		last = max(last, rows[k].Left, rows[k].Right)
	}
	return Tree{Nodes: slices.Clone(rows[:last+1])}, nil
}

// node converts node k of its tree, which stands at position i, and makes sure that walks stay inside and end.
func (c *forestColumns) node(i, k int) (Node, error) {
	left, right := c.left.At(i), c.right.At(i)
	n := Node{Threshold: c.threshold.At(i), Value: c.value.At(i)}
	if left == 0 && right == 0 {
		return n, nil // a leaf, whose other fields mean nothing
	}
	for _, v := range []float64{left, right} {
		if v != 0 && (v != math.Trunc(v) || v < float64(k+2) || v > float64(c.nodes)) {
			return n, fmt.Errorf("child %v: want 0 or a later node", v)
		}
	}
	n.Left, n.Right = int32(max(left, 1))-1, int32(max(right, 1))-1
	v := c.feature.At(i)
	if v != math.Trunc(v) || v < 1 || v > float64(c.features) {
		return n, fmt.Errorf("feature %v: want 1 to %d", v, c.features)
	}
	n.Feature = int32(v) - 1
	return n, nil
}

var errBadTree = errors.New("a tree's nodes or features lead outside, or in a circle")

// predict walks through the tree, to the left where a feature is at most the threshold.
func (t Tree) predict(features []float64) (float64, error) {
	k := 0
	for range t.Nodes {
		n := &t.Nodes[k]
		if uint(n.Feature) >= uint(len(features)) {
			break
		}
		next := n.Right
		if features[n.Feature] <= n.Threshold {
			next = n.Left
		}
		if next == 0 {
			return n.Value, nil
		}
		if k = int(next); uint(k) >= uint(len(t.Nodes)) {
			break
		}
	}
	return 0, errBadTree
}

func (f Forest) predict(features []float64) (float64, error) {
	if len(f.Trees) == 0 {
		return 0, errors.New("a forest has no trees")
	}
	s := 0.0
	for _, t := range f.Trees {
		v, err := t.predict(features)
		if err != nil {
			return 0, err
		}
		s += v
	}
	return s / float64(len(f.Trees)), nil
}
