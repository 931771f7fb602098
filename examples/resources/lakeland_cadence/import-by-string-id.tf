import {
  to = lakeland_cadence.ten_minutes
  id = "shop/ten-minutes"
}
