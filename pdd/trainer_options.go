package pdd

import (
	"log/slog"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/models"
)

// TrainerOption gives a new Trainer what a Config cannot hold.
type TrainerOption func(*Trainer)

// Networks are networks in memory, in place of those that the Config names; nil fields leave the Config's. The caller
// keeps owning them and closes them after the Trainer, which changes Specialist and Discriminator, and Generalist when
// it loads a checkpoint.
type Networks struct {
	Specialist    models.Trainable
	Generalist    models.Generator // of a frozen generalist
	Discriminator *models.UNetDiscriminator
	Features      *models.Features // Φ
}

// WithNetworks gives networks in memory.
func WithNetworks(n Networks) TrainerOption {
	return func(t *Trainer) {
		if n.Specialist != nil {
			t.specialist = n.Specialist
		}
		if n.Generalist != nil {
			t.generalist = n.Generalist
		}
		if n.Discriminator != nil {
			t.disc = n.Discriminator
		}
		if n.Features != nil {
			t.phi = n.Features
		}
	}
}

// WithDatasets gives data sets in place of those that Config.Data names; nil leaves the Config's. Labelled samples have
// HR; supervised training needs no unlabelled ones. Config.Data.Batch and the fields below it hold for them too.
func WithDatasets(labelled, unlabelled data.Dataset) TrainerOption {
	return func(t *Trainer) { t.pairs, t.targets = labelled, unlabelled }
}

// hooks are the callbacks of options.
type hooks struct {
	step func(StepReport)
	log  *slog.Logger
}

// OnStep is called after each step of Run, on its goroutine.
func OnStep(fn func(StepReport)) TrainerOption {
	return func(t *Trainer) {
		if fn != nil {
			t.hooks.step = fn
		}
	}
}

// WithLogger receives what a run does: its start, each logged step, validations, checkpoints, files passed over. The
// default discards.
func WithLogger(l *slog.Logger) TrainerOption {
	return func(t *Trainer) {
		if l != nil {
			t.hooks.log = l
		}
	}
}
