package matfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// dataType is the type of a data element, with the format's numbers.
type dataType uint32

const (
	miInt8       dataType = 1
	miUint8      dataType = 2
	miInt16      dataType = 3
	miUint16     dataType = 4
	miInt32      dataType = 5
	miUint32     dataType = 6
	miSingle     dataType = 7
	miDouble     dataType = 9
	miInt64      dataType = 12
	miUint64     dataType = 13
	miMatrix     dataType = 14
	miCompressed dataType = 15
	miUTF8       dataType = 16
	miUTF16      dataType = 17
)

// size is the number of bytes of one sample, 0 for types without samples.
func (t dataType) size() int {
	switch t {
	case miInt8, miUint8, miUTF8:
		return 1
	case miInt16, miUint16, miUTF16:
		return 2
	case miInt32, miUint32, miSingle:
		return 4
	case miDouble, miInt64, miUint64:
		return 8
	}
	return 0
}

// sample is the first sample of b as a number.
func (t dataType) sample(order binary.ByteOrder, b []byte) float64 {
	switch t {
	case miInt8:
		return float64(int8(b[0]))
	case miUint8, miUTF8:
		return float64(b[0])
	case miInt16:
		return float64(int16(order.Uint16(b)))
	case miUint16, miUTF16:
		return float64(order.Uint16(b))
	case miInt32:
		return float64(int32(order.Uint32(b)))
	case miUint32:
		return float64(order.Uint32(b))
	case miSingle:
		return float64(math.Float32frombits(order.Uint32(b)))
	case miInt64:
		return float64(int64(order.Uint64(b)))
	case miUint64:
		return float64(order.Uint64(b))
	}
	return math.Float64frombits(order.Uint64(b))
}

// cursor walks over data elements.
type cursor struct {
	order  binary.ByteOrder
	data   []byte // what is left
	arrays *int   // how many more arrays the file may have
}

// inside is a cursor over the body of an element.
func (c cursor) inside(body []byte) cursor {
	c.data = body
	return c
}

var errTruncated = errors.New("the data ends inside an element")

// element takes the next element and the padding behind it.
func (c *cursor) element() (dataType, []byte, error) {
	if len(c.data) < 8 {
		return 0, nil, errTruncated
	}
	word := c.order.Uint32(c.data)
	if small := int(word >> 16); small != 0 { // type, size and up to four bytes of data in eight bytes
		if small > 4 {
			return 0, nil, fmt.Errorf("small element of %d bytes", small)
		}
		body := c.data[4 : 4+small]
		c.data = c.data[8:]
		return dataType(word & 0xffff), body, nil
	}
	kind, n := dataType(word), int64(c.order.Uint32(c.data[4:]))
	c.data = c.data[8:]
	if n > int64(len(c.data)) {
		return 0, nil, errTruncated
	}
	body := c.data[:n]
	if kind != miCompressed {
		n = (n + 7) &^ 7
	}
	c.data = c.data[min(n, int64(len(c.data))):]
	return kind, body, nil
}

// want takes the next element, which must be of the given type.
func (c *cursor) want(t dataType, what string) ([]byte, error) {
	kind, body, err := c.element()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if kind != t {
		return nil, fmt.Errorf("%s: data type %d, want %d", what, kind, t)
	}
	return body, nil
}
