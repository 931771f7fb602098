package postgres

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
	"testing/iotest"
)

// canned is a connection whose server has said all it will.
type canned struct {
	net.Conn
	said interface{ Read([]byte) (int, error) }
}

func (c canned) Read(p []byte) (int, error) { return c.said.Read(p) }

// message is one of the server's.
func message(kind byte, body string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(body))), body...)
}

// copied is the COPY data of messages up to ReadyForQuery, found another way; ok is false where they are not whole.
func copied(data []byte) (out []byte, ok bool) {
	for len(data) >= 5 {
		length := int64(int32(binary.BigEndian.Uint32(data[1:])))
		if length < 4 || length > maxMessage || int64(len(data)) < 1+length {
			return nil, false
		}
		switch body := data[5 : 1+length]; data[0] {
		case 'd':
			out = append(out, body...)
		case 'Z':
			return out, true
		case 'H', 'c', 'C', 'N', 'S', 'A':
		default:
			return nil, false
		}
		data = data[1+length:]
	}
	return nil, false
}

// kept is a sink that keeps the data once it is settled, as it then is.
type kept struct {
	bytes.Buffer
	buf    []byte
	ranges [][2]int
}

func (k *kept) take(buf []byte, from, to int) error {
	k.buf, k.ranges = buf, append(k.ranges, [2]int{from, to})
	return nil
}

func (k *kept) settle() error {
	for _, r := range k.ranges {
		k.Write(k.buf[r[0]:r[1]])
	}
	k.ranges = nil
	return nil
}

// What a server says is its COPY data or an error, never a panic and never other data, however the network cuts it.
func FuzzStream(f *testing.F) {
	whole := bytes.Join([][]byte{message('H', "\x01\x00\x01\x00\x01"), message('d', "abc"), message('N', "note"), message('d', ""), message('d', "def"), message('c', ""), message('C', "COPY 2\x00"), message('Z', "I")}, nil)
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(append(message('E', "SERROR\x00C42501\x00Mno\x00\x00"), message('Z', "E")...))
	f.Add(message('H', "\x00"))
	f.Add([]byte{'d', 0x7f, 0xff, 0xff, 0xff})
	f.Add([]byte{'d', 0, 0, 0, 3, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		for rest := data; len(rest) >= 5; {
			length := int64(int32(binary.BigEndian.Uint32(rest[1:])))
			if length > 1<<16 && length <= maxMessage {
				return // room would be made for what never comes, which is slow and shows nothing
			}
			if length < 4 || int64(len(rest)) < 1+length {
				break
			}
			rest = rest[1+length:]
		}
		want, ok := copied(data)
		for _, said := range []interface{ Read([]byte) (int, error) }{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data)), iotest.DataErrReader(bytes.NewReader(data))} {
			w := &stream{conn: canned{said: said}, buf: make([]byte, 16)}
			var got kept
			if err := w.receive(&got); err == nil && (!ok || !bytes.Equal(got.Bytes(), want)) {
				t.Errorf("%q was read as %q, want %q (%v)", data, got.Bytes(), want, ok)
			} else if err != nil && ok && !bytes.Contains(data, []byte{'H'}) { // COPY that is not binary is refused
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}
