data "lakeland_source_schema" "shop" {
  tracking        = "shop"
  connection_name = "shop-db"
  include         = ["public.*", "sales.*"]
  exclude         = ["*.*_old"]
}

resource "lakeland_source_table" "shop" {
  for_each    = { for key, t in data.lakeland_source_schema.shop.tables : key => t if t.problem == null }
  name        = each.value.suggested.name
  cadence     = "shop/ten-minutes"
  source      = { database = { connection = "shop-db", schema = each.value.schema, table = each.value.table } }
  target      = { location = "s3://acme-lake/raw/${each.value.suggested.target_table}/", database = "raw", table = each.value.suggested.target_table }
  primary_key = each.value.suggested.primary_key
}
