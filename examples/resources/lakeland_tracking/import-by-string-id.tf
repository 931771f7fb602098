import {
  to = lakeland_tracking.shop
  id = "shop"
}
