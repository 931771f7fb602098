package trino

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// page is one answer of the server about a statement.
type page struct {
	NextURI string `json:"nextUri"`
	Columns []struct {
		Name, Type string
	} `json:"columns"`
	Data  [][]any `json:"data"`
	Error *struct {
		Message, ErrorName string
	} `json:"error"`
}

// Execute runs a statement to its end.
func (s *Server) Execute(ctx context.Context, statement string) error {
	if err := s.run(ctx, statement, nil); err != nil {
		return fmt.Errorf("Trino, %.200s: %w", statement, err) //nolint:staticcheck // a name
	}
	return nil
}

// Read reads a table, named database.table.
func (s *Server) Read(ctx context.Context, table string) (*readback.Table, error) {
	return s.Query(ctx, "SELECT * FROM lake."+table)
}

// Query runs a query and returns what it finds in the plain form.
func (s *Server) Query(ctx context.Context, query string) (*readback.Table, error) {
	out := &readback.Table{}
	if err := s.run(ctx, query, out); err != nil {
		return nil, fmt.Errorf("Trino, %.200s: %w", query, err) //nolint:staticcheck // a name
	}
	out.Count = int64(len(out.Rows))
	return out, nil
}

// A statement that found no worker did nothing. The server counts itself as its only one, and where the machine is busy it
// loses sight of itself for a while.
const (
	noWorker      = "NO_NODES_AVAILABLE"
	workerPatient = 2 * time.Minute
	workerPause   = time.Second
)

// run runs a statement, once more where it found no worker, and adds its rows to the table where there is one.
func (s *Server) run(ctx context.Context, statement string, out *readback.Table) error {
	limit := time.Now().Add(workerPatient)
	for {
		err := s.follow(ctx, statement, out)
		var refused *refusal
		if !errors.As(err, &refused) || refused.name != noWorker || time.Now().After(limit) {
			return err
		}
		if out != nil {
			*out = readback.Table{}
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-time.After(workerPause):
		}
	}
}

// refusal is an error that the server tells.
type refusal struct{ name, message string }

func (r *refusal) Error() string { return r.name + ": " + r.message }

// follow follows a statement's answers to the last.
func (s *Server) follow(ctx context.Context, statement string, out *readback.Table) error {
	at, err := s.exchange(ctx, http.MethodPost, s.address()+"/v1/statement", statement)
	for {
		if err != nil {
			return err
		}
		if at.Error != nil {
			return &refusal{name: at.Error.ErrorName, message: at.Error.Message}
		}
		if out != nil {
			if err := at.addTo(out); err != nil {
				return err
			}
		}
		if at.NextURI == "" {
			return nil
		}
		at, err = s.exchange(ctx, http.MethodGet, at.NextURI, "")
	}
}

// addTo adds the page's rows to a table, in the plain form.
func (p *page) addTo(out *readback.Table) error {
	if out.Columns == nil {
		for _, c := range p.Columns {
			out.Columns = append(out.Columns, [2]string{c.Name, c.Type})
		}
	}
	for _, values := range p.Data {
		row := make([]*string, len(values))
		for i, value := range values {
			var err error
			if row[i], err = plain(out.Columns[i][1], value); err != nil {
				return fmt.Errorf("column %s: %w", out.Columns[i][0], err)
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return nil
}

// busyPause is how long the server wants to be left alone when it answers that it is busy.
const busyPause = 100 * time.Millisecond

func (s *Server) exchange(ctx context.Context, method, address, body string) (*page, error) {
	for {
		request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("X-Trino-User", "sandbox")
		request.Header.Set("X-Trino-Time-Zone", "UTC")
		request.Header.Set("X-Trino-Client-Capabilities", "PARAMETRIC_DATETIME") // without it times come as milliseconds
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, errors.Join(err, s.ended())
		}
		content, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return nil, errors.Join(err, s.ended())
		}
		switch response.StatusCode {
		case http.StatusOK:
			out := &page{}
			decoder := json.NewDecoder(bytes.NewReader(content))
			decoder.UseNumber() // numbers keep their digits
			return out, decoder.Decode(out)
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("the answer is %s: %w", response.Status, context.Cause(ctx))
			case <-time.After(busyPause):
			}
		default:
			return nil, fmt.Errorf("the answer is %s: %.500s", response.Status, content)
		}
	}
}

// ended is how the server's process ended, nil while it runs.
func (s *Server) ended() error {
	if s.child == nil {
		return nil
	}
	return s.child.Err()
}
