package main

import (
	"fmt"
	"strings"

	"github.com/gopdd/gopdd/internal/weights"
)

// parameterFlags say where the parameters of the metrics without ground truth are.
type parameterFlags struct {
	NIQE string `name:"niqe-prior" placeholder:"FILE" help:"Parameters of NIQE, for niqe and pi: .npz, .mat or JSON. Default: what pdd weights get has fetched." group:"Measuring"`
	NRQM string `name:"nrqm-model" placeholder:"FILE" help:"Model of NRQM, for nrqm and pi: NRQM_model.mat. Default: what pdd weights get has fetched." group:"Measuring"`
}

// found adds the files of the cache that the listed metrics need and that no flag names.
func (f parameterFlags) found(metrics string) (parameterFlags, error) {
	for _, p := range []struct {
		path       *string
		name, flag string
	}{{&f.NIQE, "niqe", "--niqe-prior"}, {&f.NRQM, "nrqm", "--nrqm-model"}} {
		if *p.path != "" || !listsMetric(metrics, p.name) && !listsMetric(metrics, "pi") {
			continue
		}
		var err error
		if *p.path, err = cachedParameters(p.name, p.flag); err != nil {
			return f, err
		}
	}
	return f, nil
}

// listsMetric reports whether a metric of this kind is in the list, such as niqe_y_bt601 of the kind niqe.
func listsMetric(list, kind string) bool {
	for name := range strings.SplitSeq(list, ",") {
		if strings.HasPrefix(strings.TrimSpace(name), kind+"_y_") {
			return true
		}
	}
	return false
}

// cachedParameters is the file of the catalogue's entry for a metric.
func cachedParameters(name, flag string) (string, error) {
	entry, err := weights.Lookup(name)
	if err != nil {
		return "", err
	}
	dir, err := weights.DefaultDir()
	if err != nil {
		return "", fmt.Errorf("%w, or give %s", err, flag)
	}
	path, here := entry.Find(dir)
	if !here {
		return "", fmt.Errorf("the parameters of %s are not on this machine yet: run: pdd weights get %s, or give %s",
			strings.ToUpper(name), name, flag)
	}
	return path, nil
}
