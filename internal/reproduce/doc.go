// Package reproduce knows the tables and figures of the paper as data: which systems are measured on which data sets,
// from which weights and with which settings of training they come, and what is needed on disk for each. It finds the
// files of a row, lays its pictures out, keeps what was measured, and writes the report. It runs no network: command
// pdd reproduce does, with what this package says. Pure Go.
package reproduce
