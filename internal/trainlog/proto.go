package trainlog

import (
	"image"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// This file encodes the messages of TensorBoard's event.proto, summary.proto and tensor.proto that are written here.
// The numbers are those of the fields.

// message grows by one field with each call.
type message []byte

func (m message) number(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
}

func (m message) float(field protowire.Number, v float32) message {
	return protowire.AppendFixed32(protowire.AppendTag(m, field, protowire.Fixed32Type), math.Float32bits(v))
}

func (m message) double(field protowire.Number, v float64) message {
	return protowire.AppendFixed64(protowire.AppendTag(m, field, protowire.Fixed64Type), math.Float64bits(v))
}

func (m message) bytes(field protowire.Number, v []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), v)
}

// string replaces bytes that are not UTF-8, which readers refuse.
func (m message) string(field protowire.Number, v string) message {
	return m.bytes(field, []byte(strings.ToValidUTF8(v, "\uFFFD")))
}

// Event: wall_time 1, step 2, file_version 3, summary 5, session_log 7.
func event(step int, now time.Time) message {
	return message(nil).double(1, float64(now.UnixMicro())/1e6).number(2, uint64(step))
}

// versionEvent is the first of each file.
func versionEvent(now time.Time) message { return event(0, now).string(3, "brain.Event:2") }

// startEvent makes TensorBoard forget events from step on, unless it is the first in a folder: hence each file has one,
// the first too. SessionLog: status 1, of which START is 1.
func startEvent(now time.Time, step int) message {
	return event(step, now).bytes(7, message(nil).number(1, 1))
}

// Summary: value 1. Summary.Value: tag 1, simple_value 2, image 4, tensor 8, metadata 9.
func value(tag string) message { return message(nil).string(1, tag) }

func scalarEvent(step int, now time.Time, values []Scalar) message {
	var summary message
	for _, v := range values {
		summary = summary.bytes(1, value(v.Name).float(2, float32(v.Value)))
	}
	return event(step, now).bytes(5, summary)
}

// imageEvent: Summary.Image has height 1, width 2, colorspace 3 (3 is RGB), encoded_image_string 4.
func imageEvent(step int, now time.Time, tag string, size image.Point, png []byte) message {
	m := message(nil).number(1, uint64(size.Y)).number(2, uint64(size.X)).number(3, 3).bytes(4, png)
	return event(step, now).bytes(5, message(nil).bytes(1, value(tag).bytes(4, m)))
}

// textEvent: SummaryMetadata has plugin_data 1 (its plugin_name 1) and data_class 4 (2 is a tensor); TensorProto has
// dtype 1 (7 is a string), tensor_shape 2 (empty: a single one), string_val 8.
func textEvent(step int, now time.Time, tag, text string) message {
	metadata := message(nil).bytes(1, message(nil).string(1, "text")).number(4, 2)
	tensor := message(nil).number(1, 7).bytes(2, nil).string(8, text)
	return event(step, now).bytes(5, message(nil).bytes(1, value(tag).bytes(9, metadata).bytes(8, tensor)))
}
