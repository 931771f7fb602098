import {
  to = lakeland_cadence.ten_minutes
  identity = {
    tracking = "shop"
    name     = "ten-minutes"
  }
}
