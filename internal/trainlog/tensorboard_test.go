package trainlog_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// TestTensorBoardReads has TensorBoard's own Python code read event files of a run that was resumed twice and cut in the
// middle of a record: the loader of its server, and the one that scripts use. It runs where $GOPDD_PYTHON names an
// interpreter with tensorboard.
//
// TensorBoard 2.21 itself was asked too, over HTTP, with --load_fast false and true (its newer reader, in Rust): both
// show each step once, NaN and -Infinity as such, the pictures, and the text as written.
func TestTensorBoardReads(t *testing.T) {
	interpreter := os.Getenv("GOPDD_PYTHON")
	if interpreter == "" {
		t.Skip("set GOPDD_PYTHON to a Python interpreter with tensorboard to check event files against it")
	}
	if out, err := exec.Command(interpreter, "-c", "import tensorboard.backend.event_processing.event_accumulator").CombinedOutput(); err != nil {
		t.Skipf("%s cannot import tensorboard: %s", interpreter, bytes.TrimSpace(out))
	}
	dir := t.TempDir()
	runTwice(t, dir)
	if out, err := exec.Command(interpreter, "-c", `
import math, sys
from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
everything = dict(scalars=0, images=0, tensors=0)
value = lambda step: 1 if step <= 10 else 2 if step <= 12 else math.nan
same = lambda a, b: a == b or math.isnan(a) and math.isnan(b)

a = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=everything)
a.Reload()
got = [(e.step, e.value) for e in a.Scalars("loss/a")]
assert [s for s, _ in got] == list(range(26)) and all(same(v, value(s)) for s, v in got), got
images = a.Images("val/photo")
assert [i.step for i in images] == list(range(26)), images
assert all((i.width, i.height) == (4, 3) and i.encoded_image_string[:4] == b"\x89PNG" for i in images), images

server = plugin_event_accumulator.EventAccumulator(sys.argv[1], size_guidance=everything, tensor_size_guidance=dict(scalars=0, images=0, text=0))
server.Reload()
got = [(e.step, e.tensor_proto.float_val[0]) for e in server.Tensors("loss/a")]
assert [s for s, _ in got] == list(range(26)) and all(same(v, value(s)) for s, v in got), got
assert [e.step for e in server.Tensors("val/photo")] == list(range(26))
assert server.SummaryMetadata("config").plugin_data.plugin_name == "text"
assert [e.tensor_proto.string_val[0] for e in server.Tensors("config")] == [b"    a: *1*"]
`, dir).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
