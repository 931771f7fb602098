package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// database is the one that the printed addresses name. Every PostgreSQL server has it.
const database = "postgres"

// postgresURLVariable holds the connection string for programs that want one piece.
const postgresURLVariable = "LAKELAND_POSTGRES_URL"

// overriding are variables that a person's environment may hold and that would lead clients elsewhere.
var overriding = []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "PGSERVICE", "PGHOSTADDR"}

// environment are the variables (NAME=value) by which programs find the sandbox.
func environment(sb *sandbox.Sandbox) []string {
	variables := sb.Env()
	server := sb.Postgres()
	if server == nil {
		return variables
	}
	return append(variables,
		"PGHOST="+server.Host(),
		"PGPORT="+strconv.Itoa(server.Port()),
		"PGUSER="+server.User(),
		"PGPASSWORD="+server.Password(),
		"PGDATABASE="+database,
		"PGSSLMODE=verify-full",
		"PGSSLROOTCERT="+server.CAFile(),
		postgresURLVariable+"="+server.ConnString(database),
	)
}

// describe is what a person needs to reach the sandbox: shell lines, and a provider block.
func describe(sb *sandbox.Sandbox) string {
	var text strings.Builder
	text.WriteString("# Environment of the AWS CLI, the AWS SDKs, psql and their like:\n")
	fmt.Fprintf(&text, "unset %s\n", strings.Join(overriding, " "))
	for _, variable := range environment(sb) {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&text, "export %s=%s\n", name, shellQuote(value))
	}
	text.WriteString("\n# The provider block of a Terraform configuration:\n")
	text.WriteString(sb.ProviderBlockFor(sb.Endpoints()))
	return text.String()
}

// shellQuote quotes a value for POSIX shells where it needs it.
func shellQuote(value string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,"
	if value != "" && strings.Trim(value, plain) == "" {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
