import {
  to = lakeland_connection.shop
  id = "shop/shop-db"
}
