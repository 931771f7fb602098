package postgres

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// Whatever pieces the network brings and the reader asks for, nothing is lost, doubled or moved, before and behind the
// point from which on a connection gathers.
func TestGatheringReadsWhatWasSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sent := make([]byte, rapid.IntRange(0, 3*streamBuffer).Draw(t, "length"))
		for i := range sent {
			sent[i] = byte(i * 31 >> 3)
		}
		var said interface{ Read([]byte) (int, error) } = bytes.NewReader(sent)
		if rapid.Bool().Draw(t, "error with data") {
			said = iotest.DataErrReader(said)
		}
		g := &gathering{Conn: canned{said: said}}
		var got []byte
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{5, 1 << 10, 16 << 10, gatherDirect, streamBuffer}), 1, 5).Draw(t, "sizes")
		turn := rapid.IntRange(0, 5).Draw(t, "turn")
		for i := 0; ; i++ {
			if i == turn {
				streaming(g)
			}
			p := make([]byte, sizes[i%len(sizes)])
			n, err := g.Read(p)
			got = append(got, p[:n]...)
			if errors.Is(err, io.EOF) && g.from == g.to {
				break
			}
			if err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes were sent and others read, %d", len(sent), len(got))
		}
	})
}
