package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gopdd/gopdd/internal/reproduce"
	"github.com/gopdd/gopdd/metrics"
	measure "github.com/gopdd/gopdd/metrics/report"
)

// What became of rows.
const (
	rowDone    = "done"
	rowKept    = "kept" // from a run before
	rowSkipped = "skipped"
	rowFailed  = "failed"
	rowStopped = "stopped" // interrupted, or not begun
)

// runAll runs the rows one after another and writes the report, also after an interruption.
func (c *reproduceCmd) runAll(e *env, plans []*rowPlan, printed reproduce.Printed) error {
	if noNetworks != nil {
		for _, p := range plans {
			if len(p.in.Missing) == 0 && p.in.Results == "" {
				return fmt.Errorf("%s: %w", p.row.ID(), noNetworks)
			}
		}
	}
	m, err := c.newMeasuring(e)
	if err != nil {
		return err
	}
	defer m.close()
	r := &reproduce.Report{Printed: printed, Head: c.head()}
	stopped := false
	for i, p := range plans { // also after an interruption: what is finished stands in the report
		o := m.row(p, fmt.Sprintf("[%d/%d] ", i+1, len(plans)))
		stopped = stopped || o.Status == rowStopped
		r.Outcomes = append(r.Outcomes, o)
	}
	if err := r.Write(c.Out); err != nil {
		return err
	}
	if err := c.show(e, r); err != nil {
		return err
	}
	return c.verdict(r, stopped)
}

func (c *reproduceCmd) show(e *env, r *reproduce.Report) error {
	if c.JSON {
		return r.WriteJSON(e.stdout)
	}
	if err := r.WriteSummary(e.stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "report: %s\n", filepath.Join(c.Out, reproduce.MarkdownFile))
	return err
}

// verdict is the error of a run that did not do all that it could, or could do nothing.
func (c *reproduceCmd) verdict(r *reproduce.Report, stopped bool) error {
	counts := map[string]int{}
	for _, o := range r.Outcomes {
		counts[o.Status]++
	}
	switch {
	case stopped:
		return fmt.Errorf("interrupted: what is finished is kept in %s: run the same command to go on", c.Out)
	case counts[rowFailed] > 0:
		return fmt.Errorf("%d of %d rows failed: see above", counts[rowFailed], len(r.Outcomes))
	case counts[rowDone]+counts[rowKept] == 0:
		return fmt.Errorf("no row could be run: see above, or pdd reproduce --dry-run")
	}
	return nil
}

// measuring is what all rows of a run share.
type measuring struct {
	c       *reproduceCmd
	e       *env
	metrics []measure.Metric
	names   []string // short ones of the metrics
	key     string   // of the files that metrics are made from
	nets    lpipsNets
	staged  map[string]reproduce.Staged
}

// newMeasuring makes all metrics whose files are there.
func (c *reproduceCmd) newMeasuring(e *env) (*measuring, error) {
	m := &measuring{c: c, e: e, staged: map[string]reproduce.Staged{}}
	var models measure.Models
	var files []string
	for _, metric := range reproduce.Metrics() {
		paths, ok := []string{}, metric.Name != reproduce.KL
		for _, name := range needs(metric) {
			path, gap := c.sources.FindWeights(name)
			ok = ok && gap == nil && (noNetworks == nil || metric.Needs != "alexnet")
			paths = append(paths, path)
		}
		if !ok {
			continue
		}
		m.names, files = append(m.names, metric.Name), append(files, paths...)
		switch metric.Needs {
		case "alexnet":
			m.nets = lpipsNets{flags: lpipsFlags{LPIPSBackbone: map[string]string{"alex": paths[0]}, LPIPSHeads: map[string]string{"alex": paths[1]}}, device: c.Device}
			models.LPIPS = m.nets.load
		case "nrqm":
			var err error
			if models.NRQM, err = metrics.LoadNRQMModel(paths[0]); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if m.metrics, err = measure.Parse(strings.Join(m.names, ","), 0, models); err != nil {
		return nil, err
	}
	m.key, err = fileKey(files...)
	return m, err
}

func (m *measuring) close() { m.nets.close() }

// row runs one row.
func (m *measuring) row(p *rowPlan, prefix string) reproduce.Outcome {
	o := reproduce.Outcome{Row: p.row}
	say := func(format string, args ...any) {
		fmt.Fprintf(m.e.stderr, "%s%s: %s\n", prefix, p.row.ID(), fmt.Sprintf(format, args...))
	}
	staged, err := m.stage(p)
	if len(p.in.Missing) > 0 {
		lines := make([]string, len(p.in.Missing))
		for i, gap := range p.in.Missing {
			lines[i] = gap.String()
		}
		o.Status, o.Why = rowSkipped, "missing "+strings.Join(lines, "; missing ")
		say("skipped: %s", o.Why)
		return o
	}
	if err == nil {
		o.Result, o.Status, err = m.finish(p, staged, say)
	}
	switch {
	case err == nil:
		say("%s", o.Status)
	case m.e.ctx.Err() != nil:
		o.Status, o.Why = rowStopped, "the same command goes on from there"
	default:
		o.Status, o.Why = rowFailed, strings.ReplaceAll(err.Error(), "\n", "; ")
		say("failed: %s", o.Why)
	}
	return o
}

// stage lays the pictures of the row's data set out, once for all rows; also where a row lacks something else: other
// programs can be run on them.
func (m *measuring) stage(p *rowPlan) (reproduce.Staged, error) {
	id := p.row.Dataset.ID
	if s, ok := m.staged[id]; ok || len(p.in.Pairs) == 0 {
		return s, nil
	}
	s, err := reproduce.Stage(m.e.ctx, p.in.Pairs, p.row.Dataset.Crop, filepath.Join(m.c.Out, "data", id))
	if err == nil {
		m.staged[id] = s
		for _, n := range s.Notes {
			m.e.complain(id + ": left out: " + n)
		}
	}
	return s, err
}

// finish gives the row's result: the one that is there, if nothing has changed, or a new one.
func (m *measuring) finish(p *rowPlan, staged reproduce.Staged, say func(string, ...any)) (*reproduce.Result, string, error) {
	path := filepath.Join(m.c.Out, "rows", p.row.ID(), "result.json")
	key, err := m.rowKey(p, staged)
	if err != nil {
		return nil, "", err
	}
	old, err := reproduce.ReadResult(path)
	if err != nil {
		return nil, "", err
	}
	if old != nil && old.Key == key {
		return old, rowKept, nil
	}
	if err := m.e.ctx.Err(); err != nil {
		return nil, "", err
	}
	if old != nil {
		say("inputs or settings have changed since it was measured: it is run again")
	}
	say("%s", p.deed())
	r := &reproduce.Result{Row: p.row.ID(), Key: key, Network: p.in.Network}
	network := p.in.Network
	if p.train != nil {
		if network, r.TrainSeconds, err = p.train.run(m.e, p.in); err != nil {
			return nil, "", err
		}
		r.Network, r.Steps, r.Features = network, p.train.steps, m.c.Features
	}
	start := time.Now()
	if err := m.measure(p, staged, network, r); err != nil {
		return nil, "", err
	}
	r.MeasureSeconds = time.Since(start).Seconds()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, "", err
	}
	return r, rowDone, r.Write(path)
}

// rowKey changes with everything that the row's numbers depend on.
func (m *measuring) rowKey(p *rowPlan, staged reproduce.Staged) (string, error) {
	parts := []string{"1", p.row.ID(), staged.Key, m.key, m.c.Device, strings.Join(m.names, ","), m.featureFile()}
	switch {
	case p.train != nil:
		parts = append(parts, p.train.key)
	case p.in.Results != "":
		files, err := filepath.Glob(filepath.Join(p.in.Results, "*"))
		if err != nil {
			return "", err
		}
		parts = append(parts, reproduce.FilesKey(files))
	default:
		hash, err := m.c.hash(p.in.Network)
		if err != nil {
			return "", err
		}
		parts = append(parts, hash)
	}
	return reproduce.KeyOf(parts...), nil
}

// featureFile is VGG19's file for the divergence of features; empty: features made by hand.
func (m *measuring) featureFile() string {
	path, gap := m.c.sources.FindWeights("vgg19")
	if gap != nil || noNetworks != nil {
		return ""
	}
	return path
}
