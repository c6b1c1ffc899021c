package main

import (
	"github.com/gopdd/gopdd/metrics/compare"
)

type compareVotesCmd struct {
	Key    string   `arg:"" type:"existingfile" help:"Key of the blind test, blind-key.json."`
	Votes  []string `arg:"" type:"existingfile" help:"Files of votes as index.html saves them: the columns sheet, vote (A, B or =), voter."`
	Figure string   `placeholder:"PNG" help:"Also draw the votes; a PDF is written beside."`
	JSON   bool     `name:"json" help:"Print JSON."`
}

// Run counts.
func (c *compareVotesCmd) Run(e *env) error {
	key, err := compare.ReadKey(c.Key)
	if err != nil {
		return err
	}
	var votes []compare.Vote
	for _, path := range c.Votes {
		more, err := compare.ReadVotes(path)
		if err != nil {
			return err
		}
		votes = append(votes, more...)
	}
	tally, err := key.Count(votes)
	if err != nil {
		return err
	}
	if c.Figure != "" {
		figure, err := tally.Figure()
		if err != nil {
			return err
		}
		if err := figure.Save(c.Figure); err != nil {
			return err
		}
	}
	if c.JSON {
		return tally.WriteJSON(e.stdout)
	}
	return tally.WriteTable(e.stdout)
}
