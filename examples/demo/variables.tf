variable "region" {
  description = "AWS Region"
  type        = string
}

variable "buckets" {
  description = "Buckets for the lake's tables and for script and engine"
  type        = object({ lake = string, artifacts = string })
}

variable "role_arn" {
  description = "Role of the Glue job"
  type        = string
}

variable "glue_database" {
  description = "Glue database of the tables"
  type        = string
}

variable "database" {
  description = "The source: where it is, the secret with its login, and the certificate of its authority"
  type        = object({ host = string, port = number, name = string, secret_arn = string, ca = string })
}
