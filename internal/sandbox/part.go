package sandbox

import "fmt"

// Part is one program of the sandbox.
type Part int

// The parts of a sandbox.
const (
	// Postgres is a PostgreSQL server: 17, or the major version that LAKELAND_POSTGRES names.
	Postgres Part = iota
	// S3 is the S3 server.
	S3
	// Moto is everything of AWS but S3 and Glue: DynamoDB, STS, IAM, Secrets Manager, SNS, SQS, EventBridge, KMS, CloudWatch.
	Moto
	// Glue is AWS Glue. It needs S3 and Moto, which its jobs use, and starts them too.
	Glue

	partCount = iota
)

// Parts are all parts.
func Parts() []Part { return []Part{Postgres, S3, Moto, Glue} }

// String is the part's name in messages.
func (p Part) String() string {
	switch p {
	case Postgres:
		return "PostgreSQL"
	case S3:
		return "S3"
	case Moto:
		return "moto"
	case Glue:
		return "Glue"
	default:
		return fmt.Sprintf("Part(%d)", int(p))
	}
}
