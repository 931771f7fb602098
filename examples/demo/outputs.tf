output "job" {
  description = "Name of the Glue job that lands the tables"
  value       = lakeland_cadence.ten_minutes.job_name
}

output "tables" {
  description = "Where each table lands"
  value       = { for name, table in lakeland_source_table.this : name => table.target.location }
}
