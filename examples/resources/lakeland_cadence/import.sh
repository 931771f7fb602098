terraform import lakeland_cadence.ten_minutes shop/ten-minutes
