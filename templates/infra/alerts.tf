# Of the plumbing. What is wrong with the data, `fullcourt health` and Grafana's rules say (monitoring/).

locals {
  # name -> filter of a time series, what is compared, and for how long.
  thresholds = {
    dead_letters = {
      says   = "Messages could not be delivered: look at the dead-letter subscription, repair, send them again"
      filter = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = ends_with(\"-dead-letter-fullcourt\") AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      above  = 0
      lasts  = "0s"
      align  = "ALIGN_MAX"
    }
    messages_wait = {
      says   = "A message has waited for two hours: the function is away, or fails; see its log"
      filter = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = ends_with(\"-fullcourt\") AND NOT resource.labels.subscription_id = ends_with(\"-dead-letter-fullcourt\") AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      above  = 7200
      lasts  = "300s"
      align  = "ALIGN_MAX"
    }
    job_failed = {
      says   = "A Dataflow job failed: nothing of it was published; see its log, and run it again"
      filter = "resource.type = \"dataflow_job\" AND metric.type = \"dataflow.googleapis.com/job/is_failed\""
      above  = 0
      lasts  = "0s"
      align  = "ALIGN_MAX"
    }
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.thresholds

  display_name          = "Full Court: ${replace(each.key, "_", " ")}"
  combiner              = "OR"
  notification_channels = var.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = each.value.lasts

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = each.value.align
      }
    }
  }

  documentation {
    content = each.value.says
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "schedule_failed" {
  display_name          = "Full Court: schedule failed"
  combiner              = "OR"
  notification_channels = var.notification_channels

  conditions {
    display_name = "schedule_failed"

    condition_matched_log {
      filter = "resource.type = \"cloud_scheduler_job\" AND resource.labels.job_id =~ \"^fullcourt-\" AND severity >= ERROR"
    }
  }

  alert_strategy {
    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content = "A schedule's message was not sent: run the job by hand once the cause is gone"
  }

  depends_on = [google_project_service.this]
}
