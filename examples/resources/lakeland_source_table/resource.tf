resource "lakeland_source_table" "orders" {
  name        = "shop.orders"
  cadence     = lakeland_cadence.ten_minutes.id
  source      = { database = { connection = lakeland_connection.shop.name, schema = "public", table = "orders" } }
  target      = { location = "s3://acme-lake/raw/orders/", database = "raw", table = "orders" }
  primary_key = ["id"]
}

# A table without a column that nobody may read in the lake, its amounts with two decimals.
resource "lakeland_source_table" "payments" {
  name        = "shop.payments"
  cadence     = lakeland_cadence.ten_minutes.id
  source      = { database = { connection = lakeland_connection.shop.name, schema = "public", table = "payments" } }
  target      = { location = "s3://acme-lake/raw/payments/", database = "raw", table = "payments" }
  primary_key = ["id"]
  columns = {
    card_number = { skip = true }
    amount      = { type = "decimal(12,2)" }
  }
}

# A table of Hudi, for jobs and queries that read such: its changes are merged by record key, into partitions by country.
resource "lakeland_source_table" "shipments" {
  name         = "shop.shipments"
  cadence      = lakeland_cadence.ten_minutes.id
  source       = { database = { connection = lakeland_connection.shop.name, schema = "public", table = "shipments" } }
  extract      = { mode = "incremental" }
  target       = { location = "s3://acme-lake/raw/shipments/", database = "raw", table = "shipments", format = "hudi" }
  primary_key  = ["id"]
  ordering     = "updated_at" # the precombine field
  partition_by = ["country"]
}

# Every version of a row that a run meets. In Hudi the ordering is part of the record key, where a time is a whole number.
resource "lakeland_source_table" "prices" {
  name         = "shop.prices"
  cadence      = lakeland_cadence.ten_minutes.id
  source       = { database = { connection = lakeland_connection.shop.name, schema = "public", table = "prices" } }
  extract      = { mode = "incremental" }
  target       = { location = "s3://acme-lake/raw/prices/", database = "raw", table = "prices", format = "hudi" }
  storage_mode = "historical"
  primary_key  = ["product_id"]
  ordering     = "changed_at"
  columns      = { changed_at = { type = "long" } }
}

# Many tables alike.
resource "lakeland_source_table" "other" {
  for_each = toset(["customers", "products"])

  name        = "shop.${each.key}"
  cadence     = lakeland_cadence.ten_minutes.id
  source      = { database = { connection = lakeland_connection.shop.name, schema = "public", table = each.key } }
  target      = { location = "s3://acme-lake/raw/${each.key}/", database = "raw", table = each.key }
  primary_key = ["id"]
}
