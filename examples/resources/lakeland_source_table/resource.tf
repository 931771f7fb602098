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

# Many tables alike.
resource "lakeland_source_table" "other" {
  for_each = toset(["customers", "products"])

  name        = "shop.${each.key}"
  cadence     = lakeland_cadence.ten_minutes.id
  source      = { database = { connection = lakeland_connection.shop.name, schema = "public", table = each.key } }
  target      = { location = "s3://acme-lake/raw/${each.key}/", database = "raw", table = each.key }
  primary_key = ["id"]
}
