terraform import lakeland_source_table.orders shop/shop.orders
