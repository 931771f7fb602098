resource "lakeland_cadence" "ten_minutes" {
  tracking    = lakeland_tracking.shop.name
  name        = "ten-minutes"
  schedule    = "cron(0/10 * * * ? *)"
  role_arn    = aws_iam_role.engine.arn
  artifacts   = { location = "s3://acme-artifacts/lakeland/" }
  connections = [lakeland_connection.shop.name]
  runtime     = { kind = "pythonshell", dpu = 0.0625, timeout = "1h" }
}

# Without a schedule the job runs when somebody starts it.
resource "lakeland_cadence" "on_demand" {
  tracking    = lakeland_tracking.shop.name
  name        = "on-demand"
  role_arn    = aws_iam_role.engine.arn
  artifacts   = { location = "s3://acme-artifacts/lakeland/" }
  connections = [lakeland_connection.shop.name]
}
