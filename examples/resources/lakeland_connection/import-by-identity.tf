import {
  to = lakeland_connection.shop
  identity = {
    tracking = "shop"
    name     = "shop-db"
  }
}
