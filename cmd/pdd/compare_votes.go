package main

type compareVotesCmd struct{}

func (c *compareVotesCmd) Run(e *env) error { return nil }
