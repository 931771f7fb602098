import {
  to = lakeland_source_table.orders
  id = "shop/shop.orders"
}
