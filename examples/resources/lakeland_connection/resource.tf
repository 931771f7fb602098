resource "lakeland_connection" "shop" {
  tracking   = lakeland_tracking.shop.name
  name       = "shop-db"
  engine     = "postgresql"
  host       = aws_db_instance.shop.address
  database   = "shop"
  secret_arn = aws_secretsmanager_secret.shop.arn
  tls        = { mode = "verify-full", ca = file("rds-eu-west-1.pem") }

  network = {
    subnet_id          = "subnet-0123456789abcdef0"
    security_group_ids = ["sg-0123456789abcdef0"]
  }
}
