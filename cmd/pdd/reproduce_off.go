//go:build !cgo

package main

import "github.com/gopdd/gopdd/internal/reproduce"

// rowTraining is the training of a row, as far as this program knows it.
type rowTraining struct {
	steps int
	key   string
}

func (c *reproduceCmd) planTraining(p *rowPlan) (*rowTraining, error) {
	return &rowTraining{steps: reproduce.Count(p.row.System.Training.Steps, c.Fraction, 2)}, nil
}

func (t *rowTraining) run(*env, reproduce.Inputs) (string, float64, error) { return "", 0, errNoCgo }

// noNetworks says why this program cannot run networks; folders of results it can measure.
var noNetworks = errNoCgo
