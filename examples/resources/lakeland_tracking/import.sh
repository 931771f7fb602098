terraform import lakeland_tracking.shop shop
