resource "lakeland_source_table" "orders" {
  name        = "shop.orders"
  cadence     = lakeland_cadence.ten_minutes.id
  source      = { database = { connection = lakeland_connection.shop.name, schema = "public", table = "orders" } }
  target      = { location = "s3://acme-lake/raw/orders/", database = "raw", table = "orders" }
  primary_key = ["id"]
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
