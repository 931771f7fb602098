# Everything that lands the demo's database: the HR sample schema and a table of taxi trips.
# `make demo` fills in the variables; endpoints and keys of the sandbox come from the environment.

terraform {
  required_providers {
    lakeland = {
      source = "lakeland/lakeland"
    }
  }
}

provider "lakeland" {
  region = var.region

  default_tags {
    tags = {
      team    = "data-platform"
      example = "demo"
    }
  }
}

resource "lakeland_tracking" "demo" {
  name                = "demo"
  deletion_protection = false # the demo destroys it at the end
}

resource "lakeland_connection" "hr" {
  tracking   = lakeland_tracking.demo.name
  name       = "hr-db"
  engine     = "postgresql"
  host       = var.database.host
  port       = var.database.port
  database   = var.database.name
  secret_arn = var.database.secret_arn
  tls        = { mode = "verify-full", ca = var.database.ca }
}

resource "lakeland_cadence" "ten_minutes" {
  tracking    = lakeland_tracking.demo.name
  name        = "ten-minutes"
  schedule    = "cron(0/10 * * * ? *)"
  role_arn    = var.role_arn
  artifacts   = { location = "s3://${var.buckets.artifacts}/lakeland/" }
  connections = [lakeland_connection.hr.name]
  runtime     = { kind = "pythonshell", dpu = 0.0625 }
}

locals {
  catalogue = yamldecode(file("${path.module}/catalogue.yaml"))
}

resource "lakeland_source_table" "this" {
  for_each = local.catalogue.tables

  name        = each.key
  cadence     = lakeland_cadence.ten_minutes.id
  source      = { database = { connection = lakeland_connection.hr.name, schema = split(".", each.key)[0], table = split(".", each.key)[1] } }
  extract     = { mode = "full" }
  target      = { location = "s3://${var.buckets.lake}/raw/${split(".", each.key)[1]}/", database = var.glue_database, table = split(".", each.key)[1] }
  primary_key = each.value.primary_key
}
