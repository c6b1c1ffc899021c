// Package trainlog keeps the records of a training run: a CSV file of scalars, TensorBoard event files, a line of
// progress, a picture of the curves. It is pure Go and knows nothing of tensors. The trainer and cmd/pdd call it.
//
//	log, err := trainlog.Open(dir, trainlog.Options{Resume: done, TensorBoard: true})
//	…
//	err = log.Scalars(step, []trainlog.Scalar{{Name: "loss/intra", Value: 0.12}, {Name: "lr", Value: 1e-4}})
//	err = log.Image(step, "val/photo1", img)
//	err = log.Text(step, "config", yaml)
//	err = log.Sync() // before a checkpoint is written
//	err = log.Close()
//
//	series, err := trainlog.Read(filepath.Join(dir, trainlog.File))
//	err = trainlog.Curves(w, trainlog.Run{Series: series})
//
// # Names
//
// Names of scalars are tags of TensorBoard and columns of the CSV file. The part before the last slash is the group:
// TensorBoard and [Curves] show a group together. Values of a validation are "val/METRIC", a panel each, in which
// variants are told by their endings: "val/psnr_y", "val/psnr_y_raw", "val/psnr_y_cc".
//
// # The CSV file
//
// [File] has the columns step and time (UTC), then a column for each name in the order of appearance, and one row for
// each step that has values; a value that was not reported is an empty cell, one that is not finite is NaN, +Inf or
// -Inf. A new name adds a column: the file is then written anew, atomically. A row reaches the file in one write when
// it is reported; a row that a killed process left unfinished is dropped by the next Open.
//
// # Resuming
//
// Open with Resume k goes on after step k: rows of later steps leave the CSV file, and a new event file tells
// TensorBoard to forget later events, so that both show one curve however often a run was stopped. Earlier event files
// stay as they are.
//
// # Failures
//
// When a write fails, for example because the disk is full, the record is taken back, the error is returned, and what
// was recorded before stays readable; the log may be used further. Nothing here panics.
package trainlog
