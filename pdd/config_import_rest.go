package pdd

import (
	"path"
	"strings"
)

// idle are options without effect here: a pattern as path.Match reads, with / for the dots, why, and which values it
// holds for (nil: all).
var idle = []struct {
	pattern, why string
	holds        func(v any) bool
}{
	{"datasets/*/name", "a label", nil},
	{"datasets/*/type", "pictures are paired by name", nil},
	{"datasets/*/filename_tmpl", "pictures are paired by name", nil},
	{"datasets/*/io_backend/type", "files are read where they lie", func(v any) bool { return v == "disk" }},
	{"datasets/train_s/dataroot_lq", "the pipeline makes LR of HR", nil},
	{"datasets/train_s/gt_size", "the pipeline's crop counts", nil},
	{"datasets/*/use_shuffle", "the order is always random", func(v any) bool { return v == true }},
	{"datasets/*/num_worker_per_gpu", "see data.workers", nil},
	{"datasets/*/dataset_enlarge_ratio", "pictures are drawn without end", nil},
	{"datasets/*/prefetch_mode", "patches are always made ahead", nil},
	{"network_g/*", "the weight file says it", nil},
	{"network_g_fix/*", "the averaged copy or the weight file says it", nil},
	{"path/pretrain_network_*", "no file", func(v any) bool { return v == nil }},
	{"path/pretrain_network_g_fix", "the generalist is the averaged copy", nil},
	{"path/param_key_*", "its file is not read", nil},
	{"path/strict_load_*", "weights must always fit", nil},
	{"path/resume_state", "nothing to resume", func(v any) bool { return v == nil }},
	{"path/ignore_resume_networks", "a frozen generalist is no part of what is resumed", nil},
	{"train/warmup_iter", "no warm-up of the rate", func(v any) bool { x, ok := number(v); return ok && x <= 1 }},
	{"train/fix_backbone", "the authors' code reads it and does nothing with it", nil},
	{"val/save_img", "see validation.samples", nil},
	{"logger/wandb/*", "there is no such service here", nil},
	{"dist_params/*", "there is one process", nil},
	{"find_unused_parameters", "there is one process", nil},
	{"broadcast_buffers", "there is one process", nil},
}

// rest reports the options that no rule took.
func (im *importer) rest() {
	for _, o := range im.options {
		if o.taken {
			continue
		}
		entry := ImportedOption{Option: o.path, Value: show(o.value)}
		if entry.Note = idleBecause(o); entry.Note != "" {
			im.report.Ignored = append(im.report.Ignored, entry)
		} else {
			im.report.NoCounterpart = append(im.report.NoCounterpart, entry)
		}
	}
}

// idleBecause tells why an option has no effect here, or "".
func idleBecause(o option) string {
	for _, i := range idle {
		if ok, _ := path.Match(i.pattern, strings.ReplaceAll(o.path, ".", "/")); ok && (i.holds == nil || i.holds(o.value)) {
			return i.why
		}
	}
	return ""
}
