terraform {
  required_providers {
    lakeland = {
      source = "lakeland/lakeland"
    }
  }
}

provider "lakeland" {
  region = "eu-west-1"

  default_tags {
    tags = { team = "data-platform" }
  }
}

resource "lakeland_tracking" "shop" {
  name = "shop"
}

resource "lakeland_connection" "shop" {
  tracking   = lakeland_tracking.shop.name
  name       = "shop-db"
  engine     = "postgresql"
  host       = "shop.example.internal"
  database   = "shop"
  secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-db-AbCdEf"
}

resource "lakeland_cadence" "ten_minutes" {
  tracking    = lakeland_tracking.shop.name
  name        = "ten-minutes"
  schedule    = "rate(10 minutes)"
  role_arn    = "arn:aws:iam::123456789012:role/lakeland-engine"
  artifacts   = { location = "s3://acme-artifacts/lakeland/" }
  connections = [lakeland_connection.shop.name]
}

resource "lakeland_source_table" "orders" {
  name        = "shop.orders"
  cadence     = lakeland_cadence.ten_minutes.id
  source      = { database = { connection = lakeland_connection.shop.name, schema = "public", table = "orders" } }
  target      = { location = "s3://acme-lake/raw/orders/", database = "raw", table = "orders" }
  primary_key = ["id"]
}
