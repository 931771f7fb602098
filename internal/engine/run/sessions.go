package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
)

// sessions are those with a source that are between two units of one snapshot.
type sessions struct {
	mu   sync.Mutex
	idle map[string][]*postgres.Session
}

// sharing tells which units a session may serve: those under one snapshot that have no filter, or read one table by one.
func sharing(e *ExtractUnit) (string, error) {
	if e.Snapshot == "" || len(e.Parts) == 0 {
		return "", nil
	}
	c := &e.Connection
	key := fmt.Sprintf("%q %q %d %q %q", c.Name, c.Host, c.Port, c.Database, e.Snapshot)
	if len(e.Filter) == 0 {
		return key, nil
	}
	filter, err := json.Marshal(e.Filter)
	if err != nil {
		return "", fmt.Errorf("writing a filter: %w", err)
	}
	from := e.Parts[0].Source
	return fmt.Sprintf("%s %q %q %s", key, from.Schema, from.Table, filter), nil
}

func (s *sessions) take(key string) *postgres.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.idle[key]
	if len(list) == 0 {
		return nil
	}
	s.idle[key] = list[:len(list)-1]
	return list[len(list)-1]
}

func (s *sessions) keep(key string, session *postgres.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == nil {
		s.idle = map[string][]*postgres.Session{}
	}
	s.idle[key] = append(s.idle[key], session)
}

// read reads a unit's parts in a session that another unit of the snapshot has left, or in a new one.
func (w *Worker) read(ctx context.Context, e *ExtractUnit, request postgres.Request, write func(*column.Batch) error) (*postgres.Extracted, error) {
	key, err := sharing(e)
	if err != nil {
		return nil, err
	}
	for {
		session := w.sessions.take(key)
		left := session != nil
		if !left {
			session, err = logIn(ctx, w.Secrets, e.Connection.SecretARN, func(as postgres.Credentials) (*postgres.Session, error) {
				return postgres.Join(ctx, &e.Connection, as, e.Snapshot)
			})
			if err != nil {
				return nil, err
			}
		}
		begun := false
		read, err := session.Extract(ctx, request, func(b *column.Batch) error {
			begun = true
			return write(b)
		})
		if err == nil && key != "" {
			w.sessions.keep(key, session)
			return read, nil
		}
		session.Close(ctx)
		// One that ended while nobody used it says nothing of this unit.
		var ended *postgres.SessionError
		if err == nil || !left || begun || !errors.As(err, &ended) || ctx.Err() != nil {
			return read, err
		}
	}
}

// Leave ends the sessions that units have left. Who executes units calls it when no more of their snapshot come.
func (w *Worker) Leave(ctx context.Context, units ...Unit) {
	for _, u := range units {
		if u.Extract == nil {
			continue
		}
		key, err := sharing(u.Extract)
		if err != nil {
			continue
		}
		for session := w.sessions.take(key); session != nil; session = w.sessions.take(key) {
			session.Close(ctx)
		}
	}
}
