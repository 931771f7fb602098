package tracking

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

const (
	kindLayout spec.Kind = "layout"
	kindTarget spec.Kind = "target"
)

func configKey(kind spec.Kind, name string) Item {
	return Item{"kind": str(string(kind)), "name": str(name)}
}

// WriteLayout marks the tables as a tracking of this layout. It is the last step of their creation and may be
// repeated.
func (s *Store) WriteLayout(ctx context.Context) error {
	for _, put := range []*dynamodb.PutItemInput{
		{TableName: s.table(ConfigTable), Item: Item{"kind": str(string(kindLayout)), "name": str("layout"), "v": num(LayoutVersion)}},
		{TableName: s.table(StateTable), Item: Item{"pk": str("tracking"), "sk": str("layout"), "v": num(LayoutVersion)}},
	} {
		put.ConditionExpression = aws.String("attribute_not_exists(v) OR v = :v")
		put.ExpressionAttributeValues = Item{":v": num(LayoutVersion)}
		if _, err := s.api.PutItem(ctx, put); err != nil {
			if lostCondition(err) {
				return s.CheckLayout(ctx)
			}
			return fmt.Errorf("marking the layout of tracking %q: %w", s.tracking, err)
		}
	}
	return nil
}

// CheckLayout refuses a tracking of another layout (LayoutError) and one that is not there (ErrNotFound). It
// is the first call of every run, and so the one that sets the clock.
func (s *Store) CheckLayout(ctx context.Context) error {
	item, err := s.get(ctx, ConfigTable, configKey(kindLayout, "layout"))
	if err != nil {
		return fmt.Errorf("reading the layout of tracking %q: %w", s.tracking, err)
	}
	if v := int(getInt(item, "v")); v != LayoutVersion {
		return &LayoutError{Tracking: s.tracking, Version: v}
	}
	return nil
}

// documentItem is the item of a document. Attempt tells one's own write from another's after a lost answer.
func documentItem(kind spec.Kind, name string, version int, document []byte, attempt string) Item {
	item := configKey(kind, name)
	item["v"], item["document"], item["attempt"] = num(version), str(string(document)), str(attempt)
	return item
}

func (s *Store) document(ctx context.Context, kind spec.Kind, name string) ([]byte, error) {
	stored, err := s.Stored(ctx, kind, name)
	if err != nil {
		return nil, err
	}
	return stored.Document, nil
}

// Stored is the item of a document as it lies there, readable or not.
type Stored struct {
	Document []byte
	// Unfinished marks what an apply began to create and has not finished, Leaving what one began to remove.
	Unfinished, Leaving bool
	// Cadence and Enabled are what the index holds of a source table, beside its document.
	Cadence string
	Enabled bool
}

// Stored reads a document's item; ErrNotFound when there is none, spec.NewerError when a newer release wrote it.
func (s *Store) Stored(ctx context.Context, kind spec.Kind, name string) (*Stored, error) {
	item, err := s.get(ctx, ConfigTable, configKey(kind, name))
	if err != nil {
		return nil, fmt.Errorf("reading the %s %q of tracking %q: %w", kind, name, s.tracking, err)
	}
	if v := int(getInt(item, "v")); v > spec.Version {
		return nil, &spec.NewerError{Kind: kind, Name: name, Version: v}
	}
	_, unfinished := item[unfinishedMark]
	_, leaving := item[leavingMark]
	return &Stored{
		Document: []byte(getString(item, "document")), Unfinished: unfinished, Leaving: leaving,
		Cadence: getString(item, "cadence"), Enabled: getBool(item, "enabled"),
	}, nil
}

const (
	unfinishedMark = "unfinished"
	leavingMark    = "leaving"
	// free is the condition under which a name can be taken: nobody has it, an apply that was interrupted left it
	// unfinished, or what is there says the same to the letter, as after an apply that was interrupted at its end.
	free = "attribute_not_exists(kind) OR attribute_exists(" + unfinishedMark + ") OR document = :document"
)

// wroteByAttempt reports whether the stored document is the one of this attempt.
func (s *Store) wroteByAttempt(ctx context.Context, kind spec.Kind, name, attempt string) (bool, error) {
	item, err := s.get(ctx, ConfigTable, configKey(kind, name))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && getString(item, "attempt") == attempt, err
}

// notNewer is the condition that keeps a provider from overwriting an item of a newer release.
const notNewer = "v <= :supported"

func supported() Item { return Item{":supported": num(spec.Version)} }

// Connection reads a connection; ErrNotFound when it is not configured.
func (s *Store) Connection(ctx context.Context, name string) (*spec.Connection, error) {
	document, err := s.document(ctx, spec.KindConnection, name)
	if err != nil {
		return nil, err
	}
	return spec.DecodeConnection(document)
}

// CreateConnection stores a new connection; ExistsError when the name is taken.
func (s *Store) CreateConnection(ctx context.Context, c *spec.Connection) error {
	document, err := c.Encode()
	if err != nil {
		return err
	}
	return s.create(ctx, spec.KindConnection, c.Name, document, nil)
}

// UpdateConnection replaces the document of a connection that exists.
func (s *Store) UpdateConnection(ctx context.Context, c *spec.Connection) error {
	document, err := c.Encode()
	if err != nil {
		return err
	}
	return s.replace(ctx, spec.KindConnection, c.Name, document, nil)
}

// DeleteConnection removes a connection that nothing uses (InUseError otherwise). One that is gone is no error.
func (s *Store) DeleteConnection(ctx context.Context, name string) error {
	return s.remove(ctx, spec.KindConnection, name, func() ([]string, error) {
		var users []string
		err := s.each(ctx, spec.KindCadence, func(data []byte) error {
			c, err := spec.DecodeCadence(data)
			if err != nil {
				return err
			}
			for _, used := range c.Connections {
				if used == name {
					users = append(users, fmt.Sprintf("the cadence %q", c.Name))
				}
			}
			return nil
		})
		return users, err
	})
}

// Cadence reads a cadence; ErrNotFound when it is not configured.
func (s *Store) Cadence(ctx context.Context, name string) (*spec.Cadence, error) {
	document, err := s.document(ctx, spec.KindCadence, name)
	if err != nil {
		return nil, err
	}
	return spec.DecodeCadence(document)
}

// CreateCadence stores a new cadence whose connections exist (MissingError otherwise).
func (s *Store) CreateCadence(ctx context.Context, c *spec.Cadence) error {
	document, err := c.Encode()
	if err != nil {
		return err
	}
	return s.create(ctx, spec.KindCadence, c.Name, document, connectionsOf(c))
}

// UpdateCadence replaces the document of a cadence that exists; its connections must exist.
func (s *Store) UpdateCadence(ctx context.Context, c *spec.Cadence) error {
	document, err := c.Encode()
	if err != nil {
		return err
	}
	return s.replace(ctx, spec.KindCadence, c.Name, document, connectionsOf(c))
}

// DeleteCadence removes a cadence that has no tables (InUseError otherwise). One that is gone is no error.
func (s *Store) DeleteCadence(ctx context.Context, name string) error {
	return s.remove(ctx, spec.KindCadence, name, func() ([]string, error) {
		var users []string
		err := s.each(ctx, spec.KindTable, func(data []byte) error {
			t, err := spec.DecodeTable(data)
			if err != nil {
				return err
			}
			if t.Cadence == name {
				users = append(users, fmt.Sprintf("the source table %q", t.Name))
			}
			return nil
		})
		return users, err
	})
}

// InUse lists the cadences and connections of the tracking, which keep it from being destroyed.
func (s *Store) InUse(ctx context.Context) ([]string, error) {
	var users []string
	for _, kind := range []spec.Kind{spec.KindCadence, spec.KindConnection, spec.KindTable} {
		err := s.eachItem(ctx, kind, func(item Item) error {
			users = append(users, fmt.Sprintf("the %s %q", kind, getString(item, "name")))
			return nil
		})
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return users, nil
}

type reference struct {
	kind spec.Kind
	name string
}

func connectionsOf(c *spec.Cadence) []reference {
	refs := make([]reference, len(c.Connections))
	for i, name := range c.Connections {
		refs[i] = reference{spec.KindConnection, name}
	}
	return refs
}

// present is the part of a transaction that lets it through only while what a document refers to stays.
func (s *Store) present(ref reference) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: s.table(ConfigTable), Key: configKey(ref.kind, ref.name),
		ConditionExpression: aws.String("attribute_exists(kind) AND attribute_not_exists(" + leavingMark + ")"),
	}}
}

// create stores a document and marks it as unfinished: what it describes beside itself is yet to be made.
func (s *Store) create(ctx context.Context, kind spec.Kind, name string, document []byte, refs []reference) error {
	attempt := ulid.Make().String()
	item := documentItem(kind, name, spec.Version, document, attempt)
	item[unfinishedMark] = boolean(true)
	return s.write(ctx, kind, name, attempt, refs, &types.Put{
		TableName: s.table(ConfigTable), Item: item,
		ConditionExpression: aws.String(free), ExpressionAttributeValues: Item{":document": str(string(document))},
	})
}

// Finish takes away the mark of a creation that is not finished. It may be repeated.
func (s *Store) Finish(ctx context.Context, kind spec.Kind, name string) error {
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table(ConfigTable), Key: configKey(kind, name), UpdateExpression: aws.String("REMOVE " + unfinishedMark),
		ConditionExpression: aws.String("attribute_exists(kind)"),
	})
	if err != nil {
		return fmt.Errorf("finishing the %s %q of tracking %q: %w", kind, name, s.tracking, err)
	}
	return nil
}

func (s *Store) replace(ctx context.Context, kind spec.Kind, name string, document []byte, refs []reference) error {
	attempt := ulid.Make().String()
	return s.write(ctx, kind, name, attempt, refs, &types.Put{
		TableName: s.table(ConfigTable), Item: documentItem(kind, name, spec.Version, document, attempt),
		ConditionExpression: aws.String("attribute_exists(kind) AND " + notNewer), ExpressionAttributeValues: supported(),
	})
}

// write puts a document and checks what it refers to in one transaction, and says in words what refused it.
func (s *Store) write(ctx context.Context, kind spec.Kind, name, attempt string, refs []reference, put *types.Put, more ...types.TransactWriteItem) error {
	items := []types.TransactWriteItem{{Put: put}}
	for _, ref := range refs {
		items = append(items, s.present(ref))
	}
	items = append(items, more...)
	err := s.decide(ctx, func() error {
		_, err := s.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items, ClientRequestToken: aws.String(attempt)}, once)
		return err
	}, func() (bool, error) { return s.wroteByAttempt(ctx, kind, name, attempt) })
	if err == nil {
		return nil
	}
	for i, reason := range cancellation(err) {
		if aws.ToString(reason.Code) != "ConditionalCheckFailed" {
			continue
		}
		switch {
		case i == 0:
			return s.whyRefused(ctx, kind, name)
		case i <= len(refs):
			return &MissingError{Kind: refs[i-1].kind, Name: refs[i-1].name}
		default:
			return s.ownedBy(ctx, items[i])
		}
	}
	var gone *types.ResourceNotFoundException
	if errors.As(err, &gone) {
		return fmt.Errorf("writing the %s %q: the tracking %q: %w", kind, name, s.tracking, ErrNotFound)
	}
	return fmt.Errorf("writing the %s %q of tracking %q: %w", kind, name, s.tracking, err)
}

func (s *Store) whyRefused(ctx context.Context, kind spec.Kind, name string) error {
	item, err := s.get(ctx, ConfigTable, configKey(kind, name))
	switch {
	case err != nil:
		return fmt.Errorf("writing the %s %q of tracking %q: %w", kind, name, s.tracking, err)
	case getInt(item, "v") > spec.Version:
		return &spec.NewerError{Kind: kind, Name: name, Version: int(getInt(item, "v"))}
	default:
		return &ExistsError{Kind: kind, Name: name, ID: s.tracking + "/" + name}
	}
}

// remove deletes a document that nothing uses. It is marked as leaving first, so that nobody begins to use it
// between the look and the deletion; the mark goes when somebody does use it, or with the next update.
func (s *Store) remove(ctx context.Context, kind spec.Kind, name string, users func() ([]string, error)) error {
	key, attempt := configKey(kind, name), ulid.Make().String()
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table(ConfigTable), Key: key, UpdateExpression: aws.String("SET " + leavingMark + " = :attempt"),
		ConditionExpression: aws.String("attribute_exists(kind) AND " + notNewer), ExpressionAttributeValues: Item{":attempt": str(attempt), ":supported": num(spec.Version)},
	})
	var gone *types.ResourceNotFoundException
	switch {
	case lostCondition(err):
		if _, err := s.Stored(ctx, kind, name); !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	case errors.As(err, &gone):
		return nil
	case err != nil:
		return fmt.Errorf("removing the %s %q of tracking %q: %w", kind, name, s.tracking, err)
	}
	used, err := users()
	if err == nil && len(used) > 0 {
		err = &InUseError{Kind: kind, Name: name, By: used}
	}
	if err != nil {
		_, unmark := s.api.UpdateItem(context.WithoutCancel(ctx), &dynamodb.UpdateItemInput{
			TableName: s.table(ConfigTable), Key: key, UpdateExpression: aws.String("REMOVE " + leavingMark),
			ConditionExpression: aws.String(leavingMark + " = :attempt"), ExpressionAttributeValues: Item{":attempt": str(attempt)},
		})
		if lostCondition(unmark) {
			unmark = nil // somebody else took the mark away, or set their own
		}
		return errors.Join(err, unmark)
	}
	_, err = s.api.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: s.table(ConfigTable), Key: key,
		ConditionExpression: aws.String("attribute_not_exists(kind) OR " + leavingMark + " = :attempt"), ExpressionAttributeValues: Item{":attempt": str(attempt)},
	})
	switch {
	case lostCondition(err):
		return fmt.Errorf("removing the %s %q of tracking %q: another apply changed it meanwhile: plan again", kind, name, s.tracking)
	case err != nil:
		return fmt.Errorf("removing the %s %q of tracking %q: %w", kind, name, s.tracking, err)
	}
	return nil
}

func (s *Store) each(ctx context.Context, kind spec.Kind, f func(document []byte) error) error {
	return s.eachItem(ctx, kind, func(item Item) error { return f([]byte(getString(item, "document"))) })
}

func (s *Store) eachItem(ctx context.Context, kind spec.Kind, f func(Item) error) error {
	return s.query(ctx, &dynamodb.QueryInput{
		TableName: s.table(ConfigTable), ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("kind = :kind"), ExpressionAttributeValues: Item{":kind": str(string(kind))},
	}, f)
}

func (s *Store) query(ctx context.Context, in *dynamodb.QueryInput, f func(Item) error) error {
	for pages := dynamodb.NewQueryPaginator(s.api, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		var gone *types.ResourceNotFoundException
		if errors.As(err, &gone) {
			return fmt.Errorf("the DynamoDB table %q: %w", aws.ToString(in.TableName), ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("listing from %q: %w", aws.ToString(in.TableName), err)
		}
		for _, item := range page.Items {
			if err := f(item); err != nil {
				return err
			}
		}
	}
	return nil
}
