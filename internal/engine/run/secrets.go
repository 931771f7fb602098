package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
)

// SecretsAPI is what is used of the Secrets Manager client.
type SecretsAPI interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Secrets reads the login that a secret holds.
type Secrets func(ctx context.Context, arn string) (postgres.Credentials, error)

// SecretsManager reads username and password from secrets of the account. Their other fields, such as those that
// RDS writes, are left alone: where the database is, the connection says.
func SecretsManager(api SecretsAPI) Secrets {
	return func(ctx context.Context, arn string) (postgres.Credentials, error) {
		wrap := func(err error) (postgres.Credentials, error) {
			return postgres.Credentials{}, fmt.Errorf("reading the secret %s: %w", arn, err)
		}
		out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn)})
		if err != nil {
			return wrap(explainSecret(err))
		}
		var held struct {
			Username string `json:"username"`
			Password string `json:"password"`
		}
		if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &held); err != nil {
			return wrap(errors.New(`its value is not a JSON object of strings: store {"username": "...", "password": "..."}`)) // never with err, which may quote the value
		}
		if held.Username == "" || held.Password == "" {
			return wrap(errors.New(`its JSON object has no "username" or no "password": store {"username": "...", "password": "..."}`))
		}
		return postgres.Credentials{Username: held.Username, Password: held.Password}, nil
	}
}

func explainSecret(err error) error {
	var (
		missing *types.ResourceNotFoundException
		api     smithy.APIError
	)
	switch {
	case errors.As(err, &missing):
		return fmt.Errorf("%w: create it in this account and Region, or correct the connection's secret_arn", err)
	case errors.As(err, &api) && (api.ErrorCode() == "AccessDeniedException" || api.ErrorCode() == "DecryptionFailure"):
		return fmt.Errorf("%w: the job's role needs secretsmanager:GetSecretValue on it, and kms:Decrypt on its key", err)
	default:
		return err
	}
}

// logIn connects with the login of a secret. A login that the server refuses may have been rotated since it was
// read: the secret is then read again, once.
func logIn[T any](ctx context.Context, read Secrets, arn string, connect func(postgres.Credentials) (T, error)) (T, error) {
	var none T
	first, err := read(ctx, arn)
	if err != nil {
		return none, err
	}
	out, err := connect(first)
	if !postgres.AuthenticationFailed(err) {
		return out, err
	}
	second, readErr := read(ctx, arn)
	switch {
	case readErr != nil:
		return none, fmt.Errorf("%w; after that: %w", err, readErr)
	case second == first:
		return none, fmt.Errorf("%w; the secret %s was read again and still holds the login that was refused: store the one that the server takes; if it is being rotated just now, the next run finds the new one", err, arn)
	}
	out, err = connect(second)
	if postgres.AuthenticationFailed(err) {
		return none, fmt.Errorf("%w; the secret %s was read twice, it was changed meanwhile, and both logins were refused: store the one that the server takes", err, arn)
	}
	return out, err
}
