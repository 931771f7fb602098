// Package glue is a local AWS Glue for tests and the demo: an HTTP server on the loopback
// interface that speaks Glue's JSON 1.1 protocol, keeps Glue's semantics, really runs Python
// shell jobs as child processes and really fires scheduled triggers, on a clock that the caller
// chooses.
//
// # What it is strict about
//
// Every request is checked against the AWS service model before a handler sees it, and every
// reply is checked the same way; a reply that violates the model becomes a 500 and is listed by
// [Server.Violations]. Updates replace, as they do on AWS: what UpdateJob, UpdateTrigger,
// UpdateConnection, UpdateTable, UpdatePartition or UpdateDatabase does not name is gone or back
// at its default. Deciding calls have exactly one winner: CreateTable, CreatePartition and
// UpdateTable with a VersionId are atomic. State is kept apart by account and Region, which are
// read from the request's signature. [Server.Inject] adds throttling, conflicts, errors, delays
// and replies that get lost after the call took effect.
//
// # Where a rule comes from
//
// Comments name the source of each rule. "API reference" is the AWS Glue Web API reference,
// whose text is also the documentation in the service model; "developer guide" is the AWS Glue
// developer guide, by page title; "reported" means that AWS's answer is known from public
// reports of people who saw it; "our reading" means that no source was found and the likeliest
// or the strictest behaviour was taken. Nothing here was compared with AWS itself.
//
// # What it does not do
//
// No Spark: a run of any command but pythonshell ends FAILED. No crawlers, workflows, views, open
// table format input, partition indexes, transactions or table optimisers: operations for them
// are unknown, and members that ask for them are refused with InvalidInputException or
// EntityNotFoundException, never ignored. CONDITIONAL and EVENT triggers keep their state but
// never fire. Python modules named by --extra-py-files or --additional-python-modules are not
// installed. IAM is not enforced. One account has one catalog.
//
// Job scripts are executed with the rights of the calling process; the package is for tests
// and demonstrations on a developer's machine.
package glue
