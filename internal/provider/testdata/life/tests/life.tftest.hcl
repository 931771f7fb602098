# One life of everything: made, changed in each way, left alone in between, moved, and destroyed at the end. A run costs
# a third of a step of plugin-testing.

run "made" {
  assert {
    condition     = output.identity == ["${var.account.tracking}", "${var.account.tracking}/shop-db", "${var.account.tracking}/ten-minutes", "${var.account.tracking}/shop.orders"]
    error_message = "The ids are ${join(", ", output.identity)}."
  }
  assert {
    condition     = lakeland_cadence.ten_minutes.deployed["trigger.state"] == "activated" && lakeland_cadence.ten_minutes.deployed["job.timeout"] == "480m"
    error_message = "The trigger does not run, or the job has another timeout."
  }
}

run "another_schedule" {
  variables {
    schedule = "cron(0 3 * * ? *)"
  }
  assert {
    condition     = lakeland_cadence.ten_minutes.deployed["trigger.schedule"] == "cron(0 3 * * ? *)" && lakeland_cadence.ten_minutes.deployed["trigger.state"] == "activated"
    error_message = "The trigger was not changed, or runs no more."
  }
}

run "switched_off" {
  variables {
    enabled = false
  }
  assert {
    condition     = lakeland_cadence.ten_minutes.deployed["trigger.state"] == "deactivated"
    error_message = "The trigger still runs."
  }
}

run "without_a_schedule" {
  variables {
    schedule = null
  }
  assert {
    condition     = lakeland_cadence.ten_minutes.deployed["trigger"] == "none" && lakeland_cadence.ten_minutes.trigger_name == null
    error_message = "There is still a trigger."
  }
}

run "scheduled_again" {
  assert {
    condition     = lakeland_cadence.ten_minutes.deployed["trigger.state"] == "activated"
    error_message = "The trigger does not run."
  }
}

run "a_larger_job" {
  variables {
    runtime    = { dpu = 1, timeout = "30m" }
    batch_size = 20
  }
  assert {
    condition     = lakeland_cadence.ten_minutes.deployed["job.dpu"] == "1" && lakeland_cadence.ten_minutes.deployed["job.timeout"] == "30m"
    error_message = "The job is as before."
  }
}

run "defaults_written_out" {
  variables {
    runtime    = { kind = "pythonshell", dpu = 0.0625, timeout = "8h" }
    batch_size = 5
  }
  assert {
    condition     = lakeland_cadence.ten_minutes.deployed["job.timeout"] == "480m"
    error_message = "The job has another timeout."
  }
}

run "an_empty_object" {
  variables {
    runtime = {}
  }
}

run "another_connection_setup" {
  variables {
    max_connections = 9
    tls             = "verify-ca"
    network         = { subnet_id = "subnet-0123456789abcdef0", security_group_ids = ["sg-0123456789abcdef0"] }
  }
  assert {
    condition     = lakeland_cadence.ten_minutes.deployed["job.connections"] == lakeland_connection.this.glue_connection
    error_message = "The job is not in the connection's network after one apply."
  }
}

run "no_network_again" {
  assert {
    condition     = lakeland_cadence.ten_minutes.deployed["job.connections"] == ""
    error_message = "The job is still in a network."
  }
}

run "protected_and_tagged" {
  variables {
    protection = true
    tags       = { purpose = "test" }
  }
  assert {
    condition     = lakeland_tracking.this.deployed["runs.deletion_protection"] == "on" && lakeland_tracking.this.tags_all["purpose"] == "test"
    error_message = "The tables are not as configured."
  }
}

run "moved_to_the_other_cadence" {
  variables {
    hourly      = true
    primary_key = ["id"]
  }
  assert {
    condition     = lakeland_source_table.orders.cadence == lakeland_cadence.hourly.id && lakeland_source_table.orders.deployed["index"] == "present"
    error_message = "The table was not moved."
  }
}

run "to_another_folder" {
  variables {
    hourly = true
    folder = "elsewhere"
  }
  assert {
    condition     = lakeland_source_table.orders.deployed["target.location"] == "owned"
    error_message = "The table does not own its new folder."
  }
}

run "and_back" {
}

run "nothing_left_to_do" {
  command = plan
  assert {
    condition     = lakeland_source_table.orders.deployed["document"] == "present"
    error_message = "The document is not there."
  }
}
