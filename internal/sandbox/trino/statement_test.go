package trino

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// scripted is a server that answers a statement with pages, one after the other, and once that it is busy.
func scripted(t *testing.T, pages ...string) *Server {
	t.Helper()
	next, busy := 0, true
	var address string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if busy {
			busy = false
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		page := pages[next]
		next++
		_, _ = fmt.Fprint(w, strings.ReplaceAll(page, "NEXT", address+"/next"))
	}))
	t.Cleanup(web.Close)
	address = web.URL
	_, port, err := net.SplitHostPort(web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{}
	if s.port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnswersComeInPages(t *testing.T) {
	t.Parallel()
	s := scripted(t, `{"nextUri": "NEXT"}`,
		`{"nextUri": "NEXT", "columns": [{"name": "id", "type": "bigint"}, {"name": "note", "type": "varchar"}], "data": [[9007199254740993, "a"]]}`,
		`{"columns": [{"name": "id", "type": "bigint"}, {"name": "note", "type": "varchar"}], "data": [[2, null]]}`)
	got, err := s.Query(t.Context(), "SELECT")
	if err != nil {
		t.Fatal(err)
	}
	large, two, note := "9007199254740993", "2", "a"
	want := &readback.Table{Columns: [][2]string{{"id", "bigint"}, {"note", "varchar"}}, Rows: [][]*string{{&large, &note}, {&two, nil}}}
	if differences := readback.Differences(want, got); differences != nil || got.Count != 2 {
		t.Errorf("%d rows: %q", got.Count, differences)
	}
}

// Continuous integration failed because a statement came while a busy server did not count itself as a worker.
func TestStatementWaitsForAWorker(t *testing.T) {
	t.Parallel()
	s := scripted(t, `{"nextUri": "NEXT", "columns": [{"name": "id", "type": "bigint"}], "data": [[1]]}`,
		`{"error": {"message": "No nodes available to run query", "errorName": "NO_NODES_AVAILABLE"}}`,
		`{"columns": [{"name": "id", "type": "bigint"}], "data": [[2]]}`)
	got, err := s.Query(t.Context(), "SELECT")
	if err != nil {
		t.Fatal(err)
	}
	if got.Count != 1 || *got.Rows[0][0] != "2" {
		t.Errorf("%d rows, the first %s, want the answer of the second try alone", got.Count, *got.Rows[0][0])
	}
}

func TestErrorsAreTold(t *testing.T) {
	t.Parallel()
	s := scripted(t, `{"nextUri": "NEXT"}`, `{"error": {"message": "line 1:8: no", "errorName": "SYNTAX_ERROR"}}`)
	if err := s.Execute(t.Context(), "SELECT nothing"); err == nil || err.Error() != "Trino, SELECT nothing: SYNTAX_ERROR: line 1:8: no" {
		t.Errorf("got %v", err)
	}
}
