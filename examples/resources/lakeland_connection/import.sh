terraform import lakeland_connection.shop shop/shop-db
