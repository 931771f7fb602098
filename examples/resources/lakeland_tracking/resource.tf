resource "lakeland_tracking" "shop" {
  name        = "shop"
  kms_key_arn = aws_kms_key.lake.arn
  tags        = { purpose = "landing" }
}
