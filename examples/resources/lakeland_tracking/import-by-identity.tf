import {
  to = lakeland_tracking.shop
  identity = {
    name = "shop"
  }
}
