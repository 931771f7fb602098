# What the tests beside it vary. Everything a run changes is a variable.

terraform {
  required_providers {
    lakeland = { source = "lakeland/lakeland" }
  }
}

variable "account" {
  type = object({ tracking = string, host = string, port = number, database = string, secret_arn = string, ca = string, role_arn = string, lake = string, artifacts = string, glue_database = string })
}

variable "protection" {
  default = false
}

variable "tags" {
  default = {}
}

variable "max_connections" {
  default = null
}

variable "tls" {
  default = "verify-full"
}

variable "network" {
  default = null
}

variable "schedule" {
  default = "rate(10 minutes)"
}

variable "enabled" {
  default = true
}

variable "runtime" {
  default = null
}

variable "batch_size" {
  default = null
}

variable "hourly" {
  description = "Whether the table belongs to the other cadence."
  default     = false
}

variable "primary_key" {
  default = null
}

variable "folder" {
  default = "orders"
}

resource "lakeland_tracking" "this" {
  name                = var.account.tracking
  deletion_protection = var.protection
  tags                = var.tags
}

resource "lakeland_connection" "this" {
  tracking        = lakeland_tracking.this.name
  name            = "shop-db"
  engine          = "postgresql"
  host            = var.account.host
  port            = var.account.port
  database        = var.account.database
  secret_arn      = var.account.secret_arn
  tls             = { mode = var.tls, ca = var.account.ca }
  max_connections = var.max_connections
  network         = var.network
}

resource "lakeland_cadence" "ten_minutes" {
  tracking    = lakeland_tracking.this.name
  name        = "ten-minutes"
  schedule    = var.schedule
  role_arn    = var.account.role_arn
  artifacts   = { location = "s3://${var.account.artifacts}/lakeland/" }
  connections = [lakeland_connection.this.name]
  runtime     = var.runtime
  batch_size  = var.batch_size
  enabled     = var.enabled
}

resource "lakeland_cadence" "hourly" {
  tracking    = lakeland_tracking.this.name
  name        = "hourly"
  schedule    = "rate(1 hour)"
  role_arn    = var.account.role_arn
  artifacts   = { location = "s3://${var.account.artifacts}/lakeland/" }
  connections = [lakeland_connection.this.name]
}

resource "lakeland_source_table" "orders" {
  name        = "shop.orders"
  cadence     = var.hourly ? lakeland_cadence.hourly.id : lakeland_cadence.ten_minutes.id
  source      = { database = { connection = lakeland_connection.this.name, schema = "public", table = "orders" } }
  target      = { location = "s3://${var.account.lake}/raw/${var.folder}/", database = var.account.glue_database, table = "orders" }
  primary_key = var.primary_key
}

output "identity" {
  value = [lakeland_tracking.this.id, lakeland_connection.this.id, lakeland_cadence.ten_minutes.id, lakeland_source_table.orders.id]
}
