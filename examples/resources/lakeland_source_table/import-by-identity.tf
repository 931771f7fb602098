import {
  to = lakeland_source_table.orders
  identity = {
    tracking = "shop"
    name     = "shop.orders"
  }
}
